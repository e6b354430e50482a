"""No address has more connections than are left for the others."""

import resource
from ipaddress import ip_network

from app.http.addresses import HASTY, KEPT_FREE, Addresses, most_connections, proxies_of

CROWD, OTHER, PROXY = "198.51.100.1", "198.51.100.2", "203.0.113.7"


def filled(addresses: Addresses, address: str) -> int:
    """How many more connections the address gets."""
    number = 0
    while addresses.admits(address) and number < 1_000:
        addresses.take(address)
        number += 1
    return number


def test_addresses_share_what_there_is() -> None:
    addresses = Addresses(120)
    assert filled(addresses, CROWD) == 60
    assert filled(addresses, OTHER) == 30
    assert not addresses.admits(CROWD)
    assert addresses.admits("198.51.100.3")
    for _ in range(31):
        addresses.leave(CROWD, was_answered=True)
    assert (filled(addresses, CROWD), filled(addresses, OTHER)) == (16, 8)


def test_addresses_of_proxies_have_what_there_is() -> None:
    addresses = Addresses(120, proxies_of([ip_network("203.0.113.0/24"), ip_network("2001:db8::/32")]))
    for proxy in (PROXY, "2001:db8::1%eth0", "127.0.0.1", "::1", ""):
        assert filled(addresses, proxy) == 1_000
    assert filled(addresses, CROWD) == 0


def test_addresses_are_hasty_for_a_while_after_nothing_was_answered() -> None:
    now = 0.0
    addresses = Addresses(120, time=lambda: now)
    for answered in (True, False):
        addresses.take(CROWD)
        addresses.leave(CROWD, answered)
        assert addresses.is_hasty(CROWD) is not answered
    assert not addresses.is_hasty(OTHER)
    now += HASTY
    assert not addresses.is_hasty(CROWD)


def test_addresses_leave_files_to_the_rest_of_the_process() -> None:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert most_connections() == files - KEPT_FREE if files > 2 * KEPT_FREE else files // 2
