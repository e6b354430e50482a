"""Changes that make wrong requests of right ones, drawn from a seeded generator."""

import re
from random import Random
from typing import Any

import orjson

_LITERAL = re.compile(r'"[^"\n]*"')
_PIECES = (
    b"\x00",
    b"\xff\xfe",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"{",
    b"}",
    b'"',
    b"\\",
    b"[" * 200,
    b"{" * 200,
    b"9" * 400,
    b"1e999",
    b"\\ud800",
    "\u202e\U0001f600".encode(),
    b"%00",
    b"%ff",
    b"../",
    b"null",
    b"$",
    b"...",
    b"@skip(if: true)",
    b"#" * 100,
    b'"""',
)
_ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    1.5,
    1e308,
    "",
    "x",
    "\x00",
    "\U0001f600",
    [],
    {},
    [[]],
    {"": None},
)
_HEADERS = (
    b"content-length: -1",
    b"content-length: 99999999999999999999",
    b"content-length: 5\r\ncontent-length: 6",
    b"transfer-encoding: chunked",
    b"transfer-encoding: gzip, chunked",
    b"content-encoding: gzip",
    b"expect: 100-continue",
    b"upgrade: h2c\r\nconnection: upgrade, http2-settings",
    b"upgrade: websocket\r\nconnection: upgrade",
    b"host: \xff\xff",
    b"authorization: Bearer \xff\x80",
    b"authorization: Basic Zm9vOmJhcg==",
    b"x-api-key: " + b"k" * 5_000,
    b"accept: " + b"text/html;q=0.1," * 60,
    b"content-type: application/json; charset=utf-16",
    b"content-type: multipart/form-data; boundary=x",
    b"origin: null",
    b"last-event-id: \x01",
    b"idempotency-key: " + b"\xe9" * 300,
    b": empty",
    b"no colon",
    b" folded: x",
    b"if-unmodified-since: yesterday",
    b"range: bytes=0-",
)
_LINES = (
    b"GET / HTTP/1.1",
    b"GET /graphql HTTP/9.9",
    b"GET http://elsewhere.invalid/graphql HTTP/1.1",
    b"CONNECT a:1 HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"TRACE /graphql HTTP/1.1",
    b"BREW /graphql HTTP/1.1",
    b"GET /graphql",
    b"GET  HTTP/1.1",
    b"\x16\x03\x01\x02\x00\x01\x00\x01",
    b"PRI * HTTP/2.0",
    b"GET /" + b"a/" * 5_000 + b" HTTP/1.1",
    b"GET /%2e%2e/%00 HTTP/1.1",
    b"GET /graphql?query=%ff HTTP/1.1",
    b"GET /graphql?" + b"a=1&" * 5_000 + b" HTTP/1.1",
    b"POST /v2/agents?limit=%F0%9F%98%80 HTTP/1.1",
    b"HEAD /graphql?query={__typename} HTTP/1.1",
)


def changed(data: bytes, random: Random) -> bytes:
    """A few bytes are changed, doubled, left out or put in."""
    found = bytearray(data)
    for _ in range(random.randint(1, 4)):
        place = random.randint(0, len(found))
        match random.randrange(5):
            case 0:
                found[place : place + 1] = bytes([random.randrange(256)])
            case 1:
                del found[place : place + random.randint(1, 20)]
            case 2:
                found[place:place] = random.choice(_PIECES)
            case 3:
                found[place:place] = found[place : place + random.randint(1, 200)]
            case _:
                del found[place:]
    return bytes(found)


def with_refs(document: str, refs: tuple[str, ...], random: Random) -> str:
    """The document with some of its texts replaced by ids of what is there."""
    return _LITERAL.sub(lambda found: f'"{random.choice(refs)}"' if random.random() < 0.5 else found[0], document)


def value(random: Random, depth: int = 0) -> Any:
    """Any JSON value."""
    if depth > 3 or random.random() < 0.6:
        return random.choice(_ODD)
    if random.random() < 0.5:
        return [value(random, depth + 1) for _ in range(random.randrange(5))]
    return {random.choice(("input", "id", "filter", "first", "a", "")): value(random, depth + 1) for _ in range(3)}


def variables(random: Random) -> bytes:
    """Variables, most of which are no object that fits."""
    return orjson.dumps(value(random), option=orjson.OPT_NON_STR_KEYS) if random.random() < 0.9 else b"{"


def raw(valid: bytes, random: Random) -> bytes:
    """Bytes for a fresh connection that are hardly HTTP."""
    match random.randrange(6):
        case 0:
            return random.randbytes(random.randint(1, 3_000))
        case 1:
            return random.choice(_LINES) + b"\r\nhost: x\r\n\r\n"
        case 2:
            head, _, rest = valid.partition(b"\r\n")
            return head + b"\r\n" + random.choice(_HEADERS) + b"\r\n" + rest
        case 3:
            return valid[: random.randint(0, len(valid))]
        case 4:
            return valid + changed(valid, random)
        case _:
            return changed(valid, random)
