from collections.abc import Callable
from datetime import timedelta

import pytest

from app.core.actor import Actor
from app.core.credentials import KnownKeys
from app.http.authentication import key_of
from tests.conftest import ManualClock

pytestmark = pytest.mark.anyio


class Keys:
    """Counts how often it is asked; `during` runs while it answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.valid = {"k": Actor(user_id=1, name="Ada")}
        self.during: Callable[[], None] = lambda: None

    async def actor_of(self, key: str) -> Actor | None:
        self.asked.append(key)
        found = self.valid.get(key)
        self.during()
        return found


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_key_is_looked_up_once_a_second() -> None:
    keys, time = Keys(), Time()
    known = KnownKeys(keys, time=time)
    for moment in (0.0, 0.5, 0.99, 1.0, 1.5):
        time.now = moment
        assert await known.actor_of("k") == keys.valid["k"]
    assert keys.asked == ["k", "k"]


async def test_a_revoked_key_is_refused_at_once_here_and_within_a_second_elsewhere() -> None:
    keys, time = Keys(), Time()
    known = KnownKeys(keys, time=time)
    assert await known.actor_of("k") is not None
    keys.valid.clear()
    assert await known.actor_of("k") is not None
    time.now = 1.0
    assert await known.actor_of("k") is None
    keys.valid = {"k": Actor(user_id=1, name="Ada")}
    assert await known.actor_of("k") is not None
    keys.valid.clear()
    known.forget()
    assert await known.actor_of("k") is None


async def test_a_key_that_ends_is_remembered_no_longer_than_that() -> None:
    keys, clock = Keys(), ManualClock()
    keys.valid["k"] = Actor(user_id=1, name="Ada", expires_at=clock.now + timedelta(seconds=60))
    known = KnownKeys(keys, time=Time(), clock=clock)
    for seconds in (0, 59):
        clock.advance(seconds)
        assert await known.actor_of("k") == keys.valid["k"]
    assert keys.asked == ["k"]
    clock.advance(1)
    assert await known.actor_of("k") is not None
    assert keys.asked == ["k", "k"]


async def test_an_answer_from_before_a_change_is_not_remembered() -> None:
    keys = Keys()
    known = KnownKeys(keys, time=Time())
    keys.during = known.forget
    assert await known.actor_of("k") is not None
    assert await known.actor_of("k") is not None
    assert keys.asked == ["k", "k"]


async def test_unknown_and_senseless_keys() -> None:
    keys = Keys()
    known = KnownKeys(keys, time=Time())
    assert [await known.actor_of(key) for key in ("nobody", "nobody", "", "x" * 16_385)] == [None] * 4
    assert keys.asked == ["nobody", "nobody"]


@pytest.mark.parametrize(
    ("authorization", "api_key", "key"),
    [
        ("Bearer abc", None, "abc"),
        ("bearer  abc ", "other", "abc"),
        ("Basic abc", None, ""),
        ("Basic abc", "def", "def"),
        (None, " def ", "def"),
        (None, None, ""),
        ("Bearer", None, ""),
    ],
)
def test_the_key_is_a_bearer_token_or_x_api_key(authorization: str | None, api_key: str | None, key: str) -> None:
    assert key_of(authorization, api_key) == key
