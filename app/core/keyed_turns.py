"""Turns for each of many keys."""

from collections import Counter
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

from app.core.fairness import Caller, Turn, Turns


class KeyedTurns:
    """Turns for each of many keys: at most `at_once` tasks run on one key. A key without tasks is forgotten."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._turns: dict[Hashable, Turns] = {}
        self._asking: Counter[Hashable] = Counter()

    def __len__(self) -> int:
        """How many keys are kept."""
        return len(self._turns)

    def at_once(self, key: Hashable, caller: Caller) -> "KeyedTurn | None":
        """A turn of the caller on the key that begins now, which must be ended. None when the caller would have to
        wait."""
        turn = self._of(key).at_once(caller)
        if turn is None:
            self._leave(key)
            return None
        return KeyedTurn(self, key, turn)

    async def take(self, key: Hashable, caller: Caller) -> "KeyedTurn":
        """Wait for a turn of the caller on the key, which must be ended."""
        turns = self._of(key)
        try:
            return KeyedTurn(self, key, await turns.take(caller))
        except BaseException:
            self._leave(key)
            raise

    @asynccontextmanager
    async def of(self, key: Hashable, caller: Caller) -> AsyncIterator[None]:
        """Wait for a turn of the caller on the key, and hold it."""
        turn = await self.take(key, caller)
        try:
            yield
        finally:
            turn.end()

    def _of(self, key: Hashable) -> Turns:
        turns = self._turns.get(key)
        if turns is None:
            turns = self._turns[key] = Turns(self._at_once)
        self._asking[key] += 1
        return turns

    def _leave(self, key: Hashable) -> None:
        self._asking[key] -= 1
        if not self._asking[key]:
            del self._asking[key], self._turns[key]


class KeyedTurn:
    """A turn of a caller on a key, held until `end`. Call `end` once."""

    __slots__ = ("_key", "_turn", "_turns")

    def __init__(self, turns: KeyedTurns, key: Hashable, turn: Turn) -> None:
        self._turns, self._key, self._turn = turns, key, turn

    def end(self) -> None:
        """Pass the turn on."""
        self._turn.end()
        self._turns._leave(self._key)
