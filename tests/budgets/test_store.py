"""What processes count together, over a real server and over one that is gone, silent or talks nonsense."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.budgets import Budget, Store
from app.budgets.store import FAILURES, Unreachable, connected, opened
from app.core.errors import RateLimited
from app.doctor import State
from app.doctor.shared_store import shared_store
from app.settings import Settings, SettingsError
from tests.budgets.store_server import Road, StoreServer, road_to, running_store
from tests.serving import PATIENCE, eventually

pytestmark = pytest.mark.anyio

Logs = Sequence[Mapping[str, Any]]
LONG = 3_600
"""Seconds of a minute, none of which is over before its test."""

SOON = 0.02
"""Seconds after which a question is given up that nobody answers."""


@asynccontextmanager
async def processes(
    road: Road, patience: float = PATIENCE, share: int = 10
) -> AsyncIterator[list[tuple[Budget, Store]]]:
    """Two processes with a budget of this share."""
    async with (
        connected(road.url, patience=patience, again=SOON, minute=LONG) as one,
        connected(road.url, patience=patience, again=SOON, minute=LONG) as other,
    ):
        yield [(Budget("things", share, "Ten a minute.", store), store) for store in (one, other)]


async def taken(budget: Budget, who: str, most: int = 100) -> int:
    """How many times one more could be taken."""
    for number in range(most):
        try:
            await budget.take(who)
        except RateLimited:
            return number
    return most


async def test_store_counts_the_shares_of_processes_together(road: Road) -> None:
    async with processes(road) as ((one, _), (other, _)):
        for budget in (one, other) * 4:
            await budget.take("a")
        await other.take("a", 2)
        for budget in (one, other):
            with pytest.raises(RateLimited, match=r"^Ten a minute\. Try again in") as refused:
                await budget.take("a")
            assert LONG / 2 < refused.value.retry_after <= 2 * LONG
            usage = await budget.usage("a")
            assert (usage.used, usage.before, usage.now) == (10, 0, 10)
            assert LONG < usage.ends_in <= 2 * LONG
            with pytest.raises(RateLimited):
                await budget.require("a")
        assert (await taken(one, "b"), await taken(other, "b")) == (10, 0)


async def test_store_counts_at_the_same_time_without_one_too_many(road: Road) -> None:
    async with processes(road) as ((one, _), (other, _)):
        found = await asyncio.gather(*(budget.take("a") for budget in (one, other) * 20), return_exceptions=True)
        assert sum(each is None for each in found) == 10


async def test_store_counts_what_was_used_beyond_the_share(road: Road) -> None:
    async with processes(road) as ((one, _), (other, _)):
        one.add("a", 30)
        while (await other.usage("a")).used < 30:
            pass
        with pytest.raises(RateLimited) as refused:
            await other.require("a")
        # Thirty of the minute before count as less than ten in the last third of the minute.
        assert LONG < refused.value.retry_after <= 5 / 3 * LONG + 1
        other.require_here("a")
        with pytest.raises(RateLimited):
            one.require_here("a")


async def test_store_that_is_gone_leaves_each_process_to_its_own_count(road: Road) -> None:
    with capture_logs() as logs:
        await lose_and_find_again(road, logs)
    assert "password" not in f"{logs}"


async def lose_and_find_again(road: Road, logs: Logs) -> None:
    async with processes(road) as ((one, store), (other, _)):
        assert (await taken(one, "a", 6), await taken(other, "a", 3)) == (6, 3)
        with TemporaryDirectory(prefix="sb") as folder:
            server, road.server = road.server, StoreServer(Path(folder))
            road.lift()
            # What it has let through itself counts, and what others have does not.
            assert (await taken(one, "a"), await taken(other, "a")) == (4, 7)
            assert (store.fault, store.questions["failed"]) == ("It cannot be reached.", FAILURES)
            assert len(told(logs, "left")) == 2
            answered = store.questions["answered"]
            with pytest.raises(RateLimited):
                await one.require("a")
            assert (store.questions["answered"], store.questions["failed"]) == (answered, FAILURES)
            road.server = server
        await eventually(lambda: store.fault is None)
        # It has counted nine.
        assert await taken(one, "a") == 1
        await eventually(lambda: len(told(logs, "used again")) == 2)
    assert len(told(logs, "left")) == 2


def told(logs: Logs, words: str) -> Logs:
    """What was logged of the store with these words."""
    return [each for each in logs if str(each["event"]).startswith(f"the shared store is {words}")]


async def test_store_that_is_silent_is_left_alone_until_it_answers(road: Road) -> None:
    async with processes(road, patience=SOON) as ((budget, store), _):
        road.block(b"")
        assert await taken(budget, "a") == 10
        assert store.fault == "It does not answer in time."
        assert (store.questions["failed"], store.questions["answered"]) == (FAILURES, 0)
        assert store.questions["not_asked"] >= 10 - FAILURES
        failed = store.questions["failed"]
        await eventually(lambda: road.received > FAILURES + 3)  # it is asked whether it is back, and by no request
        for _ in range(100):
            await budget.usage("a")
        assert store.questions["failed"] == failed
        road.lift()
        await eventually(lambda: store.fault is None)


class Queue:
    """Storage that answers all but those who ask for `late`."""

    async def get_sliding_window(self, key: str, _seconds: int) -> tuple[int, float, int, float]:
        if key == "late":
            await asyncio.sleep(PATIENCE)
        return 0, 0.0, 0, 0.0


async def test_store_that_answers_others_meanwhile_is_not_left() -> None:
    storage: Any = Queue()
    store = Store(storage, patience=SOON, again=PATIENCE)
    try:
        for _ in range(FAILURES):
            late = [asyncio.create_task(store.usage("late")) for _ in range(FAILURES)]
            await asyncio.sleep(0)
            assert (await store.usage("now")) is not None
            assert await asyncio.gather(*late) == [None] * FAILURES
        assert (store.fault, store.questions["failed"]) == (None, FAILURES**2)
        assert [await store.usage("late") for _ in range(FAILURES)] == [None] * FAILURES
        assert store.fault == "It does not answer in time."
    finally:
        await store.close()


@pytest.mark.parametrize(
    "says",
    [
        b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
        b"-ERR no\r\n" * 9,
        b"+OK\r\n" * 9,
        b"*-7\r\n",
        b"$99999999999999999999\r\n",
        b"\x00\xff" * 50_000,
    ],
)
async def test_store_that_talks_nonsense_is_none(road: Road, says: bytes) -> None:
    async with processes(road, patience=0.2) as ((budget, store), _):
        road.block(says)
        await budget.take("a", 4)
        for _ in range(FAILURES):
            assert (await budget.usage("a")).used == 4
        assert store.fault is not None
        assert await taken(budget, "a") == 6


async def test_store_that_was_restarted_begins_anew() -> None:
    with TemporaryDirectory(prefix="sb") as folder, running_store(Path(folder)) as server:
        async with road_to(server) as road, processes(road) as ((one, first), (other, second)):
            assert await taken(one, "a") == 10
            server.kill()
            server.start()
            # Its scripts are gone, too. Each process finds out that its connection is.
            for budget, store in ((one, first), (other, second)):
                for _ in range(FAILURES):
                    await budget.usage("a")
                await eventually(lambda store=store: store.fault is None)  # type: ignore[misc]
            assert (await taken(other, "a", 4), await taken(one, "a")) == (4, 6)


async def test_store_that_refuses_the_password_is_named_without_it(
    road: Road, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = Settings(shared_store=road.url.replace("password", "passw0rd"))
    with capture_logs() as logs:
        async with opened(settings, again=SOON) as store:
            assert store is not None
            assert store.fault == "It refuses the user or the password."
    assert len(told(logs, "left")) == 1
    async with connected(str(settings.shared_store)) as store:
        with pytest.raises(Unreachable) as refused:
            await store.look(PATIENCE)
        assert str(refused.value) == "It refuses the user or the password."
    assert not [each for each in (f"{logs}", caplog.text, f"{settings!r}") if "passw0rd" in each]


async def test_store_with_an_option_that_does_not_exist_stops_the_start(road: Road) -> None:
    for option in ("nonsense=1", "db=one", "protocol=9"):
        with pytest.raises(SettingsError) as refused:
            async with opened(Settings(shared_store=f"{road.url}?{option}")):
                pass
        assert str(refused.value) == "SWITCHBOARD_SHARED_STORE: the address has a part that cannot be used."
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__


async def test_store_that_nothing_was_installed_for_stops_the_start(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "valkey.asyncio", None)
    with pytest.raises(SettingsError, match=r'valkey.asyncio is not installed; `pip install "limits\[valkey\]'):
        async with opened(Settings(shared_store=road.url)):
            pass


async def test_store_is_looked_at_by_the_doctor(road: Road) -> None:
    async def found(address: str | None) -> list[tuple[State, str]]:
        findings = [each async for each in shared_store(Settings(shared_store=address), patience=SOON)]
        assert all("password" not in f"{each}".replace("user or the password", "") for each in findings)
        assert all((each.state is State.OK) == (not each.advice) for each in findings)
        return [(each.state, each.text) for each in findings]

    place = road.url.partition("@")[2]
    while (State.OK, f"The shared store redis://{place} counts callers' shares.") not in await found(road.url):
        pass  # a machine that is busy may need longer than that
    road.block(b"")
    says = f"The shared store redis://{place} cannot be used. It does not answer in time."
    assert await found(road.url) == [(State.WARNING, says)]
    says = "SWITCHBOARD_SHARED_STORE: the address has a part that cannot be used."
    assert await found(f"{road.url}?nonsense=1") == [(State.FAULT, says)]
    assert await found(None) == []
