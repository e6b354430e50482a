"""Which URLs and network addresses may be reached."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx2

from app.outbound.faults import OutboundCode, OutboundFault

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host name and a port to its addresses; raises OSError, and UnicodeError for what no name can be."""

LONGEST_URL = 2_048
_HOST = re.compile(rb"[a-zA-Z0-9._-]+|[0-9a-fA-F:.]+")
_PORTS = (None, *range(1, 65_536))
_LOOKUPS_AT_ONCE = 16
_MAPPED_BY_A_GATEWAY = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")
"""All that is handed out of the public internet. Beyond it are addresses that a gateway or a router of one network
turns into private ones, which `ipaddress` takes for global."""


def parse_url(text: str) -> httpx2.URL:
    """The URL. Raises OutboundFault for what is no absolute http or https URL, has credentials or is too long."""
    try:
        if len(text) > LONGEST_URL:
            raise ValueError
        url = httpx2.URL(text)
        if url.scheme not in ("http", "https") or not _HOST.fullmatch(url.raw_host) or url.port not in _PORTS:
            raise ValueError
    except (httpx2.InvalidURL, ValueError):
        raise OutboundFault(
            OutboundCode.INVALID_URL,
            f"A URL of at most {LONGEST_URL:,} characters is needed, such as https://example.com.",
        ) from None
    if url.userinfo:
        raise OutboundFault(OutboundCode.INVALID_URL, "The URL must not hold credentials.")
    return url


def _inner(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _MAPPED_BY_A_GATEWAY:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def is_named(address: Address, networks: Sequence[Network]) -> bool:
    """Whether one of the networks holds the address."""
    inner = _inner(address)
    return any(inner in network for network in networks)


def is_public(address: Address) -> bool:
    """Whether the address is one of the public internet, and of one host."""
    inner = _inner(address)
    if isinstance(inner, IPv6Address) and inner not in _UNICAST:
        return False
    return inner.is_global and not inner.is_multicast


class Resolver:
    """Looks names up, each name once at a time, so that a name server that hangs keeps one thread a name."""

    def __init__(self, lookup: Lookup | None = None) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS_AT_ONCE, thread_name_prefix="resolve")
        self._lookup = lookup or self._system_lookup
        self._running: dict[tuple[str, int], asyncio.Task[Sequence[str]]] = {}

    async def resolve(self, host: str, port: int) -> list[Address]:
        """The addresses of the host, in the order to try them. Raises OutboundFault when there are none."""
        with suppress(ValueError):
            # Without a thread, which names that hang may have taken.
            return [ip_address(host)]
        key = (host, port)
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.ensure_future(self._lookup(host, port))
            task.add_done_callback(lambda done: self._forget(key, done))
        try:
            found = await asyncio.shield(task)
        except (OSError, UnicodeError):
            # A label that is empty or too long is no OSError.
            found = ()
        if not found:
            raise OutboundFault(OutboundCode.UNRESOLVED, "The host name has no address.")
        # An address of one link has the link's name behind it.
        return [ip_address(text.partition("%")[0]) for text in found]

    def _forget(self, key: tuple[str, int], done: asyncio.Task[Sequence[str]]) -> None:
        del self._running[key]
        if not done.cancelled():
            done.exception()  # whoever asked may have gone

    async def _system_lookup(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return [str(address[0]) for *_, address in found]

    def close(self) -> None:
        """Wait for no look-up any more."""
        for task in list(self._running.values()):
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)
