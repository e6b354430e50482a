from ipaddress import ip_address, ip_network

import pytest

from app.outbound.addresses import is_named, is_public, parse_url
from app.outbound.faults import OutboundCode, OutboundFault


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "239.1.1.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1",
        "::1", "::", "fe80::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "ff0e::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::1",
        "2002:a00:1::", "::127.0.0.1", "::10.0.0.1", "64:ff9b:1::a00:1", "fec0::1", "4000::1",
    ],
)  # fmt: skip
def test_address_that_is_not_public_is_known(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_address_that_is_public_is_known(text: str) -> None:
    assert is_public(ip_address(text))


def test_network_names_its_addresses_in_every_spelling() -> None:
    networks = (ip_network("10.20.0.0/16"), ip_network("fd00::/8"))
    named = ["10.20.0.1", "10.20.255.255", "::ffff:10.20.0.1", "64:ff9b::a14:1", "fd00::1"]
    assert [text for text in named if not is_named(ip_address(text), networks)] == []
    others = ["10.21.0.0", "::ffff:10.21.0.0", "fe80::1", "127.0.0.1"]
    assert [text for text in others if is_named(ip_address(text), networks)] == []


@pytest.mark.parametrize(
    "text",
    ["", "example.com", "ftp://example.com", "file:///etc/passwd", "https://", "https:///path", "//example.com",
     "https://example.com:0/", "https://example.com:99999/", "https://exa mple.com/", "https://[::1/", "https://\x00/",
     f"https://example.com/{'x' * 2_030}", "javascript:alert(1)", "https://xn--ü.com/"],
)  # fmt: skip
def test_url_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(OutboundFault) as refused:
        parse_url(text)
    assert refused.value.code is OutboundCode.INVALID_URL
    assert "2,048 characters" in refused.value.message


def test_url_with_credentials_is_refused_without_repeating_them() -> None:
    with pytest.raises(OutboundFault) as refused:
        parse_url("https://me:hunter2@example.com/")
    assert refused.value.code is OutboundCode.INVALID_URL
    assert refused.value.message == "The URL must not hold credentials."


def test_url_of_another_alphabet_is_spelled_for_name_servers() -> None:
    assert parse_url("https://bücher.example/a?b=c").raw_host == b"xn--bcher-kva.example"
