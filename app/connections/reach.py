"""Requests to one other system, with its access and its rate."""

import asyncio
from bisect import bisect_left, insort
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from enum import IntEnum
from itertools import count
from typing import Any
from urllib.parse import urlencode

import orjson

from app.connections.model.settings import number_in
from app.core.clock import Clock
from app.interactions.remote import Access, Answered, Entry, Refused, Unanswered
from app.outbound import Answer, OutboundClient, OutboundFault
from app.outbound.faults import OutboundCode
from app.outbound.waiting import retry_after

RATE = 5.0
"""Requests per second at the start. The rate is halved when the other system asks for less, and then slowly grows
again."""

BURST = 10.0
SECONDS = 10.0
SLOW_SECONDS = 25.0
"""Time limit of a write that the other system answers only after much work. With a lease, it is less than an entry's
time."""

LARGEST = 8_388_608
"""How many bytes of one answer are read: a page of long messages."""

_LEAST_RATE = 0.1
_MORE = 0.05
_LONGEST_QUIET = 3_600.0
_ENDS = frozenset({OutboundCode.CONNECTION, OutboundCode.PROTOCOL})
_HEADERS = {"accept": "application/json", "user-agent": "Switchboard"}
_REASONS = ("message", "Message", "ErrorMessage")

Sleep = Callable[[float], Awaitable[None]]


class Rank(IntEnum):
    """Which requests of a connection go first."""

    WRITE = 0
    READ = 1
    HISTORY = 2


class Bucket:
    """Tokens for requests. `rate` tokens are added per second. The first ranks get them first, and within a rank who
    has waited longest."""

    def __init__(self, time: Callable[[], float], sleep: Sleep = asyncio.sleep, rate: float = RATE) -> None:
        self._time = time
        self._sleep = sleep
        self._most = self.rate = rate
        self._tokens = BURST
        self._at = time()
        self._quiet_until = 0.0
        self._number = count()
        self._waiting: list[tuple[Rank, int]] = []

    async def take(self, patience: float = float("inf"), rank: Rank = Rank.READ) -> float | None:
        """Wait for a token. When `patience` seconds are too few for one, returns at once how many it takes."""
        ends = self._time() + patience
        mine = rank, next(self._number)
        insort(self._waiting, mine)
        try:
            while True:
                now = self._time()
                self._tokens = min(BURST, self._tokens + (now - self._at) * self.rate)
                self._at = now
                before = bisect_left(self._waiting, mine)
                wait = max(self._quiet_until - now, (1 + before - self._tokens) / self.rate)
                if wait <= 0:
                    self._tokens -= 1
                    return None
                if now + wait > ends:
                    return wait
                await self._sleep(wait)
        finally:
            self._waiting.remove(mine)

    def halve(self, wait: float | None) -> None:
        """The other system asked for fewer requests, and for a pause of so many seconds."""
        self.rate = max(self.rate / 2, _LEAST_RATE)
        self._tokens = min(self._tokens, 0.0)
        if wait is not None:
            self._quiet_until = max(self._quiet_until, self._time() + min(wait, _LONGEST_QUIET))

    def grow(self) -> None:
        """A request was answered."""
        self.rate = min(self._most, self.rate + _MORE)


def bucket_for(settings: Mapping[str, object], time: Callable[[], float], sleep: Sleep = asyncio.sleep) -> Bucket:
    """The bucket of a connection with these settings, which may say how much its system bears."""
    return Bucket(time, sleep, number_in(settings, "requestsPerSecond", RATE))


class _Ended(Unanswered):
    """The connection ended before the answer."""


class SystemReach:
    """Requests to one system. Each is tried once: the outbox and the marks decide whether to repeat it. Only a read
    whose connection ended is repeated at once, one time.

    Only a request that was refused for its credentials is sent again, if the access can sign in again. With `user`, the
    requests are made as that user."""

    def __init__(
        self,
        client: OutboundClient,
        clock: Clock,
        bucket: Bucket,
        access: Access,
        settings: Mapping[str, object],
        user: str | None = None,
        patience: float = float("inf"),
        rank: Rank = Rank.READ,
    ) -> None:
        self._client = client
        self._clock = clock
        self._bucket = bucket
        self._access = access
        self._user = user
        self._patience = patience
        self._rank = rank
        self.settings = settings

    @property
    def now(self) -> datetime:
        return self._clock()

    def acting_as(self, login: str) -> "SystemReach | None":
        if not self._access.has(login):
            return None
        return self._like(login, self._patience, self._rank)

    def within(self, patience: float) -> "SystemReach":
        return self._like(self._user, patience, Rank.WRITE)

    def behind(self) -> "SystemReach":
        return self._like(self._user, self._patience, Rank.HISTORY)

    def _like(self, user: str | None, patience: float, rank: Rank) -> "SystemReach":
        return SystemReach(self._client, self._clock, self._bucket, self._access, self.settings, user, patience, rank)

    async def ask(self, path: str, **query: str | int) -> Answered:
        target = f"{path}?{urlencode(query)}" if query else path
        try:
            answered = await self._request("GET", target, None)
        except _Ended:
            # The other side may have closed a kept connection just then. A read may be repeated, on another one.
            answered = await self._request("GET", target, None)
        if answered.status >= 400 and answered.status != 404:
            raise Refused(f"The other system answered {answered.status}.", status=answered.status)
        if answered.status < 400 and answered.value is None:
            raise Unanswered("The other system answered what is no JSON.", arrived=True)
        return answered

    async def tell(self, method: str, path: str, body: object | None = None, *, slow: bool = False) -> Answered:
        answered = await self._request(method, path, body, SLOW_SECONDS if slow else SECONDS)
        if answered.status >= 400:
            said = f"The other system answered {answered.status}{_said(answered.value)}."
            raise Refused(said, status=answered.status)
        return answered

    async def _request(self, method: str, path: str, body: object | None, seconds: float = SECONDS) -> Answered:
        content = b"" if body is None else orjson.dumps(body)
        given = {} if body is None else {"content-type": "application/json"}
        entry = await self._entry()
        answered = await self._send(method, entry.address + path, {**given, **entry.headers}, content, seconds)
        if answered.status >= 400 and self._access.left(entry, answered.status):
            entry = await self._entry()
            answered = await self._send(method, entry.address + path, {**given, **entry.headers}, content, seconds)
        if answered.status in self._access.unauthorized:
            raise _unauthorized(self._user, answered.status)
        return answered

    async def _entry(self) -> Entry:
        try:
            return await self._access.entry(self._send, self._user)
        except Unanswered as silent:
            # Whatever happened while signing in, the request itself was not sent.
            raise Unanswered(silent.reason, arrived=False, wait=silent.wait) from None

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, seconds: float = SECONDS
    ) -> Answered:
        wait = await self._bucket.take(self._patience, self._rank)
        if wait is not None:
            raise Unanswered("The other system is to be left alone for now.", arrived=False, wait=wait)
        try:
            answer = await self._client.send(
                method, url, headers={**_HEADERS, **headers}, content=content, seconds=seconds, most=LARGEST
            )
        except OutboundFault as fault:
            kind = _Ended if fault.code in _ENDS else Unanswered
            raise kind(fault.message, arrived=fault.may_have_arrived) from None
        self._check(answer)
        self._bucket.grow()
        return Answered(answer.status, _json(answer.content), answer.content)

    def _check(self, answer: Answer) -> None:
        """Raise when the response is not an answer to the request itself."""
        status = answer.status
        if status == 429 or status == 503:
            wait = retry_after(answer.headers, self._clock())
            self._bucket.halve(wait)
            # 503 may come from a proxy in front of a system that did it anyway.
            raise Unanswered(f"The other system answered {status}.", arrived=status == 503, wait=wait)
        if status >= 500 or status in (408, 425):
            raise Unanswered(f"The other system answered {status}.", arrived=True)
        if status < 200 or 300 <= status < 400:
            raise Refused(f"The other system answered {status}; redirects are not followed.")


def _unauthorized(user: str | None, status: int) -> Refused:
    if user is not None:
        return Refused(f"The other system does not take the token of {user}.", status=status)
    return Refused("The other system does not take the token of the connection.", unauthorized=True, status=status)


def _json(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def _said(value: Any) -> str:
    """The reason that the other system gives, shortened."""
    given = value if isinstance(value, dict) else {}
    listed = given.get("messages")
    said = [given.get(name) for name in _REASONS] + (listed if isinstance(listed, list) else [])
    message = next((each for each in said if isinstance(each, str)), "")
    return f": {message[:200].rstrip('.')}" if message and message.isprintable() else ""
