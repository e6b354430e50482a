"""What an attack is given, and what it counts."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from tests.soak.hostile.wire import BROKEN, Answer, Line

_EXAMPLES = 3
_PAUSE_AFTER_A_BREAK = 0.05


@dataclass(frozen=True)
class Target:
    """A server under attack. `able` is a key of a user with all permissions, `nobody` of one with none.

    `refs` are interactions that the innocent does not use, `crowded` a customer with very many messages, and
    `beginning` the cursor before the first event."""

    port: int
    database_url: str
    admin: str
    able: str
    nobody: str
    refs: tuple[str, ...]
    crowded: str
    beginning: str


@dataclass
class Tally:
    """The answers to an attack, by status and code, and the first few that are the server's own fault."""

    answers: Counter[str] = field(default_factory=Counter)
    internal: list[str] = field(default_factory=list)

    def add(self, answer: Answer) -> None:
        self.answers[answer.outcome] += 1
        if answer.is_internal and len(self.internal) < _EXAMPLES:
            self.internal.append(f"{answer.status} {answer.body[:300]!r}")


class Hostile:
    """Sends what an attack makes, and counts the answers."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.tally = Tally()

    async def flood(self, make: Callable[[int], bytes], *, lines: int, pause: float = 0.0) -> None:
        """Send requests over so many connections at once until cancelled. `make` is given the number of a request."""
        numbers = iter(range(10**9))

        async def send() -> None:
            line = Line(self.target.port)
            try:
                while True:
                    request = make(next(numbers))
                    try:
                        self.tally.add(await line.ask(request))
                    except BROKEN as broken:
                        self.broke(broken)
                        await asyncio.sleep(_PAUSE_AFTER_A_BREAK)
                    await asyncio.sleep(pause)
            finally:
                line.close()

        await self.at_once(send, lines)

    async def ask(self, request: bytes) -> Answer:
        """The answer to one request over a connection of its own. Raises one of BROKEN."""
        line = Line(self.target.port)
        try:
            answer = await line.ask(request)
        finally:
            line.close()
        self.tally.add(answer)
        return answer

    async def at_once(self, work: Callable[[], Coroutine[Any, Any, None]], times: int) -> None:
        """Run the same coroutine function so many times at once."""
        async with asyncio.TaskGroup() as group:
            for _ in range(times):
                group.create_task(work())

    def broke(self, error: BaseException) -> None:
        """Count a connection that the server ended or that did not come about."""
        self.tally.answers[f"broken: {type(error).__name__}"] += 1
