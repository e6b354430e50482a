"""The documents of providers: what of them is used."""

from typing import Any

import orjson
import pytest

from app.core.issuers import checked_url, is_loopback, origin_of
from app.openid.documents import MOST_KEYS, Unusable, read_keys, read_metadata
from tests.identity_provider import made_key

ISSUER = "https://login.example.com"


def public(algorithm: str = "ES256", kid: str = "k", **more: Any) -> dict[str, Any]:
    return {**made_key(algorithm, kid).as_dict(private=False), **more}


def names(*keys: Any) -> list[tuple[str, str]]:
    return list(read_keys(orjson.dumps({"keys": [public(kid="good"), *keys]})))


def test_keys_are_found_by_their_id_and_type() -> None:
    keys = [public("RS256", "a"), public("ES256", "a"), public("EdDSA", "b")]
    assert names(*keys) == [("good", "EC"), ("a", "RSA"), ("a", "EC"), ("b", "OKP")]


@pytest.mark.parametrize(
    ("algorithm", "change"),
    [
        ("ES256", {"use": "enc"}),
        ("ES256", {"kid": 5}),
        ("ES256", {"kid": ""}),
        ("ES256", {"kid": "x" * 257}),
        ("ES256", {"kty": "oct", "k": "c2VjcmV0"}),
        ("ES256", {"kty": ["EC"]}),
        ("ES256", {"crv": "P-999"}),
        ("ES256", {"x": "AA"}),
        ("ES256", {"x": None}),
        ("RS256", {"e": "AQAAAAAAAAAB"}),
        ("RS256", {"n": "AQAB"}),
        ("RS256", {"n": "_" * 5_000}),
        ("RS256", {"n": 5}),
        ("RS256", {"n": "!"}),
    ],
    ids=str,
)
def test_keys_that_cannot_be_used_are_passed_over(algorithm: str, change: dict[str, Any]) -> None:
    assert names(public(algorithm, "k")) == [("good", "EC"), ("k", {"ES256": "EC", "RS256": "RSA"}[algorithm])]
    assert names({**public(algorithm), **change}) == [("good", "EC")]


@pytest.mark.parametrize("key", ["text", None, [], {}])
def test_key_set_may_hold_what_is_no_key(key: Any) -> None:
    assert names(key) == [("good", "EC")]


def test_key_that_is_private_is_passed_over() -> None:
    assert names(made_key("ES256", "k").as_dict(private=True)) == [("good", "EC")]


def test_the_first_key_of_an_id_counts() -> None:
    first, second = public(), public()
    found = read_keys(orjson.dumps({"keys": [first, second]}))
    assert found["k", "EC"].as_dict()["x"] == first["x"]


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (b"", "The key set is not JSON."),
        (b"[]", "The key set is not a JSON object."),
        (b"[" * 100_000, "The key set is not JSON."),
        (b"{}", "The key set has no list of keys."),
        (b'{"keys": {}}', "The key set has no list of keys."),
        (b'{"keys": []}', "The key set has no key for signatures that can be used."),
        (orjson.dumps({"keys": [{}] * (MOST_KEYS + 1)}), "The key set has 101 keys; at most 100 are read."),
    ],
)
def test_key_set_that_cannot_be_used_is_refused(document: bytes, says: str) -> None:
    with pytest.raises(Unusable) as refused:
        read_keys(document)
    assert str(refused.value) == says


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({"issuer": f"{ISSUER}/", "jwks_uri": f"{ISSUER}/keys"}, "The metadata is that of another issuer."),
        ({"jwks_uri": f"{ISSUER}/keys"}, "The metadata is that of another issuer."),
        ({"issuer": ISSUER}, "jwks_uri cannot be used: it is not text."),
        ({"issuer": ISSUER, "jwks_uri": "file:///etc/passwd"}, "jwks_uri cannot be used: it has to be an address"),
        ({"issuer": ISSUER, "jwks_uri": "http://login.example.com/keys"}, "jwks_uri cannot be used: it has to begin"),
        ({"issuer": ISSUER, "jwks_uri": "https://a:b@login.example.com/"}, "jwks_uri cannot be used: it has to be an"),
    ],
)
def test_metadata_that_cannot_be_used_is_refused(found: dict[str, Any], says: str) -> None:
    with pytest.raises(Unusable) as refused:
        read_metadata(orjson.dumps(found), ISSUER)
    assert str(refused.value).startswith(says)


def test_metadata_says_where_the_keys_are() -> None:
    document = orjson.dumps({"issuer": ISSUER, "jwks_uri": "https://keys.example.com/all?v=1"})
    assert read_metadata(document, ISSUER).keys_at == "https://keys.example.com/all?v=1"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/r", "http://localhost", "http://[::1]:80/", "https://a.example"]
)
def test_addresses_are_of_https_or_of_this_machine(url: str) -> None:
    assert checked_url(url).hostname


@pytest.mark.parametrize(
    "url", ["", "x", "https://", "http://10.0.0.1", "https://a.example/#x", "https://a b", "https://a:x/", "ftp://a"]
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        checked_url(url)


def test_origins_are_spelled_as_browsers_do() -> None:
    urls = ["https://a.example:443/x", "https://a.example:8443/x", "http://127.0.0.1:80", "http://[::1]:8080/x"]
    assert [origin_of(url) for url in urls] == [
        "https://a.example",
        "https://a.example:8443",
        "http://127.0.0.1",
        "http://[::1]:8080",
    ]
    assert [is_loopback(host) for host in ("127.8.8.8", "::1", "localhost", "10.0.0.1", "a.example")] == [
        *[True] * 3,
        *[False] * 2,
    ]
