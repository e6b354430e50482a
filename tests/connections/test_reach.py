"""Requests to another system: how they get in, and what becomes of those that do not."""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from app.connections.bearer import Bearer
from app.connections.reach import BURST, RATE, Bucket, Rank, SystemReach, bucket_for
from app.interactions.remote import Entry, Refused, Send, Unanswered
from app.outbound import Answer, OutboundClient, OutboundFault
from app.outbound.faults import OutboundCode
from tests.conftest import ManualClock

pytestmark = pytest.mark.anyio


class Scripted(OutboundClient):
    """Answers one request after the other; keeps what was sent."""

    def __init__(self, *answers: int | OutboundFault) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, str, str]] = []

    async def send(self, method: str, url: str, **request: Any) -> Answer:
        self.sent.append((method, url, request["headers"].get("authorization", "")))
        answer = self.answers.pop(0)
        if isinstance(answer, OutboundFault):
            raise answer
        return Answer(answer, {}, orjson.dumps({"ErrorMessage": "Because."}))


class Tickets:
    """Enters by a ticket, which is asked for and forgotten after a 401."""

    unauthorized = frozenset({401})

    def __init__(self) -> None:
        self.number = 0
        self.valid = False

    def has(self, user: str) -> bool:
        return user == "ada"

    async def entry(self, send: Send, user: str | None) -> Entry:
        if not self.valid:
            await send("POST", "https://login.example.com", {}, b"")
            self.number, self.valid = self.number + 1, True
        return Entry("https://api.example.com", {"authorization": f"Ticket {self.number}"})

    def left(self, entry: Entry, status: int) -> bool:
        self.valid = self.valid and status != 401
        return status == 401


def reach(client: Scripted, clock: ManualClock, access: Any) -> SystemReach:
    async def no_sleep(_seconds: float) -> None:
        raise AssertionError("Nothing has to wait here.")

    settings: Mapping[str, object] = {}
    return SystemReach(client, clock, Bucket(lambda: 0.0, no_sleep), access, settings)


LOGIN = ("POST", "https://login.example.com", "")


async def test_reach_enters_once_and_anew_when_it_is_not_let_in(clock: ManualClock) -> None:
    client = Scripted(200, 200, 200, 401, 200, 200)
    own = reach(client, clock, Tickets())
    for _ in range(3):
        await own.ask("/chats", top=1)
    first, second = (("GET", "https://api.example.com/chats?top=1", f"Ticket {number}") for number in (1, 2))
    assert client.sent == [LOGIN, first, first, first, LOGIN, second]


async def test_reach_that_is_let_in_by_nothing_says_so_after_two_tries(clock: ManualClock) -> None:
    client = Scripted(200, 401, 200, 401)
    with pytest.raises(Refused) as refused:
        await reach(client, clock, Tickets()).tell("POST", "/chats", {})
    assert (refused.value.unauthorized, refused.value.status, len(client.sent)) == (True, 401, 4)


async def test_reach_that_cannot_enter_has_not_sent_the_request(clock: ManualClock) -> None:
    fault = OutboundFault(OutboundCode.PROTOCOL, "The answer ended early.", may_have_arrived=True)
    client = Scripted(fault)
    with pytest.raises(Unanswered) as silent:
        await reach(client, clock, Tickets()).tell("POST", "/chats", {})
    assert (silent.value.arrived, client.sent) == (False, [LOGIN])


async def test_reach_tells_what_was_refused_with_status_and_reason(clock: ManualClock) -> None:
    with pytest.raises(Refused) as refused:
        await reach(Scripted(409), clock, Bearer("https://api.example.com", "t")).tell("PATCH", "/chats/1", [])
    assert (refused.value.status, refused.value.reason) == (409, "The other system answered 409: Because.")


async def test_reach_that_reads_a_page_for_people_has_no_answer(clock: ManualClock) -> None:
    class Portal(Scripted):
        async def send(self, method: str, url: str, **request: Any) -> Answer:
            return Answer((await super().send(method, url, **request)).status, {}, b"<html>Sign in</html>")

    client = Portal(200, 404)
    own = reach(client, clock, Bearer("https://api.example.com", "t"))
    with pytest.raises(Unanswered) as silent:
        await own.ask("/chats")
    assert (silent.value.reason, silent.value.arrived) == ("The other system answered what is no JSON.", True)
    assert (await own.ask("/chats/1")).status == 404


async def test_reach_of_a_user_is_there_for_who_has_a_token(clock: ManualClock) -> None:
    client = Scripted(200, 401, 200, 401)
    own = reach(client, clock, Tickets())
    assert own.acting_as("bo") is None
    ada = own.acting_as("ada")
    assert ada is not None
    with pytest.raises(Refused) as refused:
        await ada.tell("POST", "/chats")
    # What befalls one user's token says nothing of the connection's.
    assert (refused.value.unauthorized, refused.value.status) == (False, 401)


async def test_request_of_a_write_that_is_not_its_turn_in_time_is_not_sent(clock: ManualClock) -> None:
    client, slept = Scripted(200), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    bucket = Bucket(lambda: sum(slept), sleep)
    bucket.halve(120)
    own = SystemReach(client, clock, bucket, Bearer("https://api.example.com", "t"), {})
    with pytest.raises(Unanswered) as silent:
        await own.within(10).tell("POST", "/messages", {})
    assert (silent.value.arrived, silent.value.wait, client.sent, slept) == (False, 120, [], [])
    await own.ask("/messages")
    assert (len(client.sent), sum(slept) >= 120) == (1, True)


async def test_read_whose_connection_ended_is_repeated_once_and_a_write_is_not(clock: ManualClock) -> None:
    ended = OutboundFault(OutboundCode.PROTOCOL, "The answer ended early.", may_have_arrived=True)
    access = Bearer("https://api.example.com", "t")
    client = Scripted(ended, 200)
    assert (await reach(client, clock, access).ask("/chats")).status == 200
    assert len(client.sent) == 2
    for client in (Scripted(ended, ended), Scripted(OutboundFault(OutboundCode.TIMEOUT, "Late."))):
        with pytest.raises(Unanswered):
            await reach(client, clock, access).ask("/chats")
        assert client.answers == []
    client = Scripted(ended)
    with pytest.raises(Unanswered) as silent:
        await reach(client, clock, access).tell("POST", "/chats")
    assert (silent.value.arrived, client.answers) == (True, [])


@pytest.mark.parametrize(("settings", "rate"), [({}, RATE), ({"requestsPerSecond": 80}, 80.0)])
async def test_rate_is_what_the_connection_says(settings: Mapping[str, object], rate: float) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        # As any clock does, it goes on by itself: a wait may be too small to change the sum.
        slept.append(seconds + 1e-9)

    bucket = bucket_for(settings, lambda: sum(slept), sleep)
    for _ in range(int(BURST) + 10):
        await bucket.take()
    assert sum(slept) == pytest.approx(10 / rate)


class Slow:
    """A time that passes only when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleeping: list[tuple[float, asyncio.Future[None]]] = []

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.get_running_loop().create_future()
        self._sleeping.append((self.now + seconds, woken))
        await woken

    async def passes(self, seconds: float) -> None:
        self.now += seconds
        due = [each for each in self._sleeping if each[0] <= self.now]
        self._sleeping = [each for each in self._sleeping if each[0] > self.now]
        for _, woken in due:
            if not woken.done():
                woken.set_result(None)
        for _ in range(10):
            await asyncio.sleep(0)


async def test_requests_of_writes_go_first_and_those_of_history_last() -> None:
    time, sent = Slow(), list[str]()
    bucket = Bucket(lambda: time.now, time.sleep, 1.0)
    for _ in range(int(BURST)):
        await bucket.take()

    async def send(what: str, rank: Rank) -> None:
        await bucket.take(rank=rank)
        sent.append(what)

    async with asyncio.TaskGroup() as tasks:
        for what, rank in (
            ("old", Rank.HISTORY),
            ("older", Rank.HISTORY),
            ("read", Rank.READ),
            ("write", Rank.WRITE),
            ("later", Rank.READ),
        ):
            tasks.create_task(send(what, rank))
            await time.passes(0)
        for number in range(5):
            await time.passes(1.0)
            assert len(sent) == number + 1
    assert sent == ["write", "read", "later", "old", "older"]


async def test_request_that_is_given_up_holds_nobody_up() -> None:
    time = Slow()
    bucket = Bucket(lambda: time.now, time.sleep, 1.0)
    for _ in range(int(BURST)):
        await bucket.take()
    given_up = asyncio.create_task(bucket.take(rank=Rank.WRITE))
    await time.passes(0)
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    waits = asyncio.create_task(bucket.take(rank=Rank.HISTORY))
    await time.passes(0)
    await time.passes(1.0)
    assert waits.done()
    assert await waits is None
