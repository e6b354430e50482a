"""A messaging bot in memory, whose requests wait at its door until a test says what becomes of them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.interactions.remote import Answered, Reach, Refused, Unanswered
from tests.conftest import ManualClock

LATE = timedelta(seconds=15)
"""For so long a request that was cut off may still be done there: the connector's own `settles`."""

USERS = {"ada": 1, "bo": 2}


@dataclass
class Talk:
    """A conversation as the bot has it. `foreign` counts what others than the connection did to it."""

    number: int
    status: str = "to-do"
    user_id: int | None = None
    messages: list[dict[str, Any]] = field(default_factory=list)
    foreign: int = 0
    gone: bool = False

    def count(self, text: str) -> int:
        """How often it has this message."""
        return self.texts().count(text)

    def texts(self) -> list[str]:
        """What its messages say, the oldest first."""
        return [each["contents"][0]["content"] for each in self.messages]


@dataclass
class Flight:
    """A write that is on its way; `was_done` says that the bot has done it, whatever its sender knows."""

    talk: Talk
    method: str
    path: str
    body: Mapping[str, Any]
    sent_at: datetime
    answer: "asyncio.Future[Answered]"
    was_done: bool = False
    result: Answered | None = None

    @property
    def makes(self) -> bool:
        """Whether it makes a message."""
        return self.method == "POST" and self.path.endswith("/messages")

    @property
    def text(self) -> str:
        """What the message says."""
        return str(self.body["text"]["content"])


class Platform(Reach):
    """All conversations of the bot. With `silent` reads are not answered."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self.talks: dict[int, Talk] = {}
        self.listed: list[int] = []
        self.flights: list[Flight] = []
        self.arrived = asyncio.Event()
        self.silent = False
        self._made = 0

    @property
    def settings(self) -> Mapping[str, object]:
        return {"users": USERS}

    @property
    def now(self) -> datetime:
        return self._clock.now

    def acting_as(self, login: str) -> None:
        return None

    def within(self, patience: float) -> "Platform":
        return self

    def behind(self) -> "Platform":
        return self

    async def ask(self, path: str, **query: str | int) -> Answered:
        if self.silent:
            raise Unanswered("The server cannot be connected to.", arrived=False)
        parts = path.strip("/").split("/")
        if len(parts) == 1:
            found = [shown(self.talks[each]) for each in reversed(self.listed) if not self.talks[each].gone]
            return Answered(200, {"data": found, "meta": {"last_page": 1}})
        talk = self.talks[int(parts[1])]
        if talk.gone:
            return Answered(404, {})
        if len(parts) == 2:
            return Answered(200, {"data": shown(talk)})
        return Answered(200, {"data": [dict(each) for each in reversed(talk.messages)], "meta": {"last_page": 1}})

    async def tell(self, method: str, path: str, body: object | None = None, *, slow: bool = False) -> Answered:
        talk = self.talks[int(path.split("/")[2])]
        given = body if isinstance(body, dict) else {}
        answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self.flights.append(Flight(talk, method, path, given, self.now, answer))
        self.arrived.set()
        return await answer

    # ---- what becomes of a write

    def do(self, flight: Flight) -> Answered:
        """Do what the request asks for, unless that was done."""
        if flight.was_done:
            assert flight.result is not None
            return flight.result
        flight.was_done, talk, found = True, flight.talk, Answered(200, {})
        if talk.gone:
            found = Answered(404, {})
        elif flight.makes:
            made = self._add(talk, "agent", flight.text)
            found = Answered(201, {"data": made})
        elif "status" in flight.body:
            talk.status = str(flight.body["status"])
        elif "user_id" in flight.body:
            talk.user_id = flight.body["user_id"]
        flight.result = found
        return found

    def end(self, flight: Flight, how: str) -> None:
        """Answer a request: `done`, `refused`, `busy`, `cut before` or `cut after` it was done."""
        self.flights.remove(flight)
        if how == "refused" and not flight.was_done:
            flight.answer.set_exception(Refused("The other system answered 422.", status=422))
        elif how == "busy" and not flight.was_done:
            flight.answer.set_exception(Unanswered("The other system answered 429.", arrived=False, wait=20))
        elif how.startswith("cut"):
            if how == "cut after":
                self.do(flight)
            flight.answer.set_exception(Unanswered("The connection ended before the answer.", arrived=True))
        else:
            answered = self.do(flight)
            if answered.status >= 400:
                flight.answer.set_exception(Refused(f"The other system answered {answered.status}.", status=404))
            else:
                flight.answer.set_result(answered)

    # ---- what others do there

    def open(self) -> Talk:
        """Another conversation, in which the customer has greeted."""
        talk = Talk(len(self.talks) + 1)
        self.talks[talk.number] = talk
        self.listed.append(talk.number)
        self.hear(talk, f"Hello {talk.number}")
        return talk

    def hear(self, talk: Talk, text: str) -> None:
        """The customer writes, and so it is to be done again."""
        talk.foreign += 1
        talk.status = "to-do"
        self._add(talk, "customer", text)

    def set_status(self, talk: Talk, status: str) -> None:
        """Somebody there sets the status."""
        talk.foreign += 1
        talk.status = status

    def _add(self, talk: Talk, author: str, text: str) -> dict[str, Any]:
        self._made += 1
        status = "received" if author == "customer" else "sent"
        made = {
            "id": self._made,
            "from": author,
            "contents": [{"type": "text", "content": text}],
            "status": status,
            "sent_at": self.now.isoformat(),
        }
        talk.messages.append(made)
        return made


def shown(talk: Talk) -> dict[str, Any]:
    """The conversation as lists and reads have it."""
    last = talk.messages[-1]
    return {
        "id": talk.number,
        "status": talk.status,
        "agent": {"id": 1, "channel": "widget", "display_id": "shop", "name": "Shop"},
        "customer": {"id": talk.number, "display_id": f"visitor-{talk.number}", "name": f"Ana {talk.number}"},
        "user": None if talk.user_id is None else {"id": talk.user_id},
        "unread_customer_messages_count": 1,
        # A list embeds the latest message, so that a new one is seen in it.
        "latest_message": dict(last),
    }
