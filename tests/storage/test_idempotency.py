"""A request under an idempotency key is carried out once, and forgotten after a while."""

from collections.abc import Callable

import anyio
import pytest

from app.core.actor import Actor
from app.core.errors import InvalidInput, KeyReused
from app.storage.database import Database, Work
from app.storage.idempotency import forget_answers, once
from tests.conftest import ManualClock

pytestmark = pytest.mark.anyio

ONE = Actor(user_id=1, name="One")
OTHER = Actor(user_id=2, name="Other")


class Counter:
    """Gives another number at each call, as JSON."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, object]:
        self.calls += 1
        return {"id": self.calls, "list": [1, None, "é"]}


def keep(work: Work, actor: Actor, key: str | None, request: object, f: Callable[[], object]) -> object:
    return once(work, actor, key, request, f)


async def test_a_repeat_gives_the_first_result(database: Database) -> None:
    count = Counter()
    first = await database.command(keep, ONE, "k", {"a": 1, "b": None}, count)
    assert first == {"id": 1, "list": [1, None, "é"]}
    assert await database.command(keep, ONE, "k", {"b": None, "a": 1}, count) == first
    assert count.calls == 1


async def test_another_request_another_actor_and_no_key(database: Database) -> None:
    count = Counter()
    await database.command(keep, ONE, "k", {"a": 1}, count)
    with pytest.raises(KeyReused) as refused:
        await database.command(keep, ONE, "k", {"a": 2}, count)
    assert refused.value.path == ("idempotency_key",)
    assert count.calls == 1
    await database.command(keep, OTHER, "k", {"a": 2}, count)
    await database.command(keep, ONE, None, {"a": 1}, count)
    await database.command(keep, ONE, None, {"a": 1}, count)
    assert count.calls == 4


async def test_a_refused_request_may_be_tried_again(database: Database) -> None:
    def refuse() -> object:
        raise InvalidInput("no")

    with pytest.raises(InvalidInput):
        await database.command(keep, ONE, "k", {"a": 1}, refuse)
    count = Counter()
    await database.command(keep, ONE, "k", {"a": 2}, count)
    assert count.calls == 1


@pytest.mark.parametrize(
    ("key", "code"),
    [("", "INVALID_INPUT"), ("x" * 256, "TOO_LONG"), ("\0", "INVALID_INPUT"), ("\ud800", "INVALID_INPUT")],
)
async def test_keys_that_cannot_be(database: Database, key: str, code: str) -> None:
    count = Counter()
    with pytest.raises(InvalidInput) as refused:
        await database.command(keep, ONE, key, {}, count)
    assert (refused.value.code, refused.value.path, count.calls) == (code, ("idempotency_key",), 0)


async def test_a_request_that_is_nested_too_deeply(database: Database) -> None:
    deep: object = "x"
    for _ in range(300):
        deep = [deep]
    count = Counter()
    with pytest.raises(InvalidInput) as refused:
        await database.command(keep, ONE, "k", {"a": deep}, count)
    assert (refused.value.code, count.calls) == ("INVALID_INPUT", 0)
    await database.command(keep, ONE, None, {"a": deep}, count)
    assert count.calls == 1


async def test_one_of_two_at_once_runs(database: Database) -> None:
    count = Counter()
    results: list[object] = []

    async def send() -> None:
        results.append(await database.command(keep, ONE, "k", {"a": 1}, count))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(send)
    assert results == [{"id": 1, "list": [1, None, "é"]}] * 5
    assert count.calls == 1


async def test_answers_are_forgotten(database: Database, clock: ManualClock) -> None:
    count = Counter()
    await database.command(keep, ONE, "k", {"a": 1}, count)
    clock.advance(24 * 3600)
    await database.command(keep, ONE, "k", {"a": 1}, count)
    assert count.calls == 1
    assert await database.command(forget_answers) == 0
    clock.advance(1)
    await database.command(keep, ONE, "k", {"a": 2}, count)
    assert count.calls == 2
    await database.command(keep, ONE, "l", {}, count)
    clock.advance(24 * 3600 + 1)
    assert await database.command(forget_answers) == 2
    assert await database.command(forget_answers) == 0
