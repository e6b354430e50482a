"""Requests of a connection to another Switchboard within the process, some of which go wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.interactions.remote import Answered, Reach, Refused, Unanswered
from tests.kinds.rest import House


@dataclass(eq=False)
class RudeReach(Reach):
    """Reaches the twin below the path `base`, as the user whose name is the token.

    `faults` befall the next writes, one each, and `silent` all requests. Users among `own` have a credential."""

    house: House
    given: Mapping[str, object]
    base: str
    user: str = "ada"
    own: frozenset[str] = frozenset()
    faults: list[str] = field(default_factory=list)
    silent: bool = False
    reads: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    bodies: list[object] = field(default_factory=list)

    @property
    def settings(self) -> Mapping[str, object]:
        return self.given

    @property
    def now(self) -> datetime:
        return self.house.clock.now

    def acting_as(self, login: str) -> "RudeReach | None":
        return replace(self, user=login) if login in self.own else None

    def within(self, patience: float) -> "RudeReach":
        return self

    def behind(self) -> "RudeReach":
        return self

    async def ask(self, path: str, **query: str | int) -> Answered:
        self.reads.append(path)
        answered = await self._request("GET", path, params=query)
        if answered.status >= 400 and answered.status != 404:
            raise Refused(f"The other system answered {answered.status}.", status=answered.status)
        return answered

    async def tell(self, method: str, path: str, body: object | None = None, *, slow: bool = False) -> Answered:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "before":
            raise Unanswered("The server cannot be connected to.", arrived=False)
        if fault == "lost":
            raise Unanswered("The connection ended before the answer.", arrived=True)
        if fault == "busy":
            raise Unanswered("The other system answered 429.", arrived=False, wait=30)
        if fault == "refused":
            raise Refused("The other system answered 422.", status=422)
        if fault == "unauthorized":
            raise Refused("The token is not taken.", unauthorized=True)
        self.writes.append(f"{self.user} {method} {path}")
        self.bodies.append(body)
        answered = await self._request(method, path, **({} if body is None else {"json": body}))
        if answered.status >= 400:
            raise Refused(f"The other system answered {answered.status}.", status=answered.status)
        if fault == "after":
            raise Unanswered("The connection ended before the answer.", arrived=True)
        return answered

    async def _request(self, method: str, path: str, **given: Any) -> Answered:
        if self.silent:
            raise Unanswered("The server cannot be connected to.", arrived=False)
        async with self.house.client(authorization=f"Bearer {self.user}") as client:
            response = await client.request(method, self.base + path, **given)
        return Answered(response.status_code, response.json() if response.content else None)
