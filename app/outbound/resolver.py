"""Looks up the addresses of host names."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address

from app.outbound.addresses import Address
from app.outbound.faults import OutboundCode, OutboundFault

Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host name and a port to its addresses. Raises OSError, and UnicodeError for an invalid name."""


@dataclass(frozen=True, slots=True)
class LookupLimits:
    """How many look-ups may run at once, and after how many seconds without an answer a name counts as silent.

    A new look-up takes a place of `prompt`. When its name falls silent it moves to a place of `silent`. Later look-ups
    of that name take a place of `known_silent`, until one is answered in time."""

    prompt: int = 16
    silent: int = 32
    known_silent: int = 16
    patience: float = 1.0
    names_remembered: int = 10_000

    @property
    def threads(self) -> int:
        return self.prompt + self.silent + self.known_silent


class Resolver:
    """Looks names up, each once at a time. Names whose server is silent do not delay others."""

    def __init__(self, lookup: Lookup | None = None, limits: LookupLimits | None = None) -> None:
        self._limits = limits or LookupLimits()
        self._threads = ThreadPoolExecutor(self._limits.threads, thread_name_prefix="resolve")
        self._lookup = lookup or self._system_lookup
        self._running: dict[tuple[str, int], asyncio.Task[Sequence[str]]] = {}
        self._silent_names: dict[str, None] = {}
        self._prompt = asyncio.Semaphore(self._limits.prompt)
        self._silent = asyncio.Semaphore(self._limits.silent)
        self._known_silent = asyncio.Semaphore(self._limits.known_silent)

    async def resolve(self, host: str, port: int) -> list[Address]:
        """The addresses of the host, in the order to try them. Raises OutboundFault when there are none."""
        with suppress(ValueError):
            # An IP address needs no thread; hanging look-ups may have taken all of them.
            return [ip_address(host)]
        key = (host, port)
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.ensure_future(self._in_turn(host, port))
            task.add_done_callback(lambda done: self._forget(key, done))
        try:
            found = await asyncio.shield(task)
        except (OSError, UnicodeError):
            # UnicodeError: a label is empty or too long.
            found = ()
        if not found:
            raise OutboundFault(OutboundCode.UNRESOLVED, "The host name has no address.")
        # A link-local address ends with the name of its link.
        return [ip_address(text.partition("%")[0]) for text in found]

    async def _in_turn(self, host: str, port: int) -> Sequence[str]:
        turn = self._known_silent if host in self._silent_names else self._prompt
        await turn.acquire()
        looking = asyncio.ensure_future(self._lookup(host, port))
        try:
            await asyncio.wait({looking}, timeout=self._limits.patience)
            if looking.done():
                self._silent_names.pop(host, None)
            else:
                self._remember_silent(host)
                if turn is self._prompt and not self._silent.locked():
                    await self._silent.acquire()
                    turn.release()
                    turn = self._silent
            return await looking
        finally:
            looking.cancel()
            turn.release()

    def _remember_silent(self, host: str) -> None:
        self._silent_names.pop(host, None)
        self._silent_names[host] = None
        if len(self._silent_names) > self._limits.names_remembered:
            del self._silent_names[next(iter(self._silent_names))]

    def _forget(self, key: tuple[str, int], done: asyncio.Task[Sequence[str]]) -> None:
        del self._running[key]
        if not done.cancelled():
            done.exception()  # the caller may have left

    async def _system_lookup(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(address[0]) for *_, address in found]

    def close(self) -> None:
        """Abandon all look-ups."""
        for task in list(self._running.values()):
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
