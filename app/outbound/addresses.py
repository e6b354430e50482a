"""Which URLs and network addresses may be reached."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import httpx2

from app.outbound.faults import OutboundCode, OutboundFault

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL = 2_048
_HOST = re.compile(rb"[a-zA-Z0-9._-]+|[0-9a-fA-F:.]+")
_PORTS = (None, *range(1, 65_536))
_MAPPED_BY_A_GATEWAY = IPv6Network("64:ff9b::/96")
_UNICAST = IPv6Network("2000::/3")
"""All public address space. The rest includes addresses that a gateway or router turns into private ones, and that
`ipaddress` takes for global."""


def parse_url(text: str) -> httpx2.URL:
    """The parsed URL. Raises OutboundFault unless it is absolute, http or https, short and without credentials."""
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
    """Whether one of the networks contains the address."""
    inner = _inner(address)
    return any(inner in network for network in networks)


def is_public(address: Address) -> bool:
    """Whether the address is a public unicast address."""
    inner = _inner(address)
    if isinstance(inner, IPv6Address) and inner not in _UNICAST:
        return False
    return inner.is_global and not inner.is_multicast
