"""What each address has of the connections, and who left unanswered."""

import resource
from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from time import monotonic

KEPT_FREE = 256
"""Open files that connections leave to the database, to logs and to what is sent to others."""

HASTY = 0.1
"""Seconds for which further connections of an address rest after one of it has left without an answer."""

_MOST_REMEMBERED = 1_000

_THIS_MACHINE = ("127.0.0.1", "::1")

Network = IPv4Network | IPv6Network


def proxies_of(trusted: Iterable[Network]) -> tuple[Network, ...]:
    """The networks of the proxies whose X-Forwarded-For counts: this machine's, and those that are trusted."""
    return (*map(ip_network, _THIS_MACHINE), *trusted)


def most_connections() -> int:
    """How many connections the process may have open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2**31 if files < 0 else max(files - KEPT_FREE, files // 2)


class Addresses:
    """Counts the connections of each address, so that none has more than are left for the others.

    One address gets half of what there is, two get a third each, and so on. Proxies get what there is: their
    connections are those of many."""

    def __init__(self, most: int, proxies: Iterable[Network] = (), time: Callable[[], float] = monotonic) -> None:
        self._free = most
        self._proxies = tuple(proxies)
        self._time = time
        self._held: dict[str, int] = {}
        self._hasty: dict[str, float] = {}
        self.is_proxy = lru_cache(maxsize=_MOST_REMEMBERED)(self._is_proxy)
        """Whether an address is that of a proxy, or of this machine's own sockets, which have none."""

    def admits(self, address: str) -> bool:
        """Whether the address may have one more connection."""
        return self._held.get(address, 0) < self._free or self.is_proxy(address)

    def take(self, address: str) -> None:
        """Count a connection that was accepted."""
        self._free -= 1
        self._held[address] = self._held.get(address, 0) + 1

    def leave(self, address: str, was_answered: bool) -> None:
        """Count the end of a connection that `take` counted."""
        self._free += 1
        if self._held[address] == 1:
            del self._held[address]
        else:
            self._held[address] -= 1
        if not was_answered:
            if len(self._hasty) >= _MOST_REMEMBERED:
                self._hasty.clear()
            self._hasty[address] = self._time() + HASTY

    def is_hasty(self, address: str) -> bool:
        """Whether a connection of the address has lately left without an answer."""
        until = self._hasty.get(address)
        if until is None:
            return False
        if self._time() < until:
            return True
        del self._hasty[address]
        return False

    def _is_proxy(self, address: str) -> bool:
        if not address:
            return True
        given = ip_address(address.partition("%")[0])
        return any(given in network for network in self._proxies)
