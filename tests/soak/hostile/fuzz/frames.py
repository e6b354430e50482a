"""WebSocket frames that keep to no rule, and the frames that a server sends."""

import struct
from collections.abc import Iterator
from random import Random
from typing import Any

import orjson

from tests.soak.hostile.fuzz.changes import changed, value

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
INTERNAL_CLOSE = 1011

_MASK = b"\x01\x02\x03\x04"
_TYPES = ("connection_init", "subscribe", "complete", "ping", "pong", "next", "error", "connection_ack", "x", "")
_PROTOCOL = b"sec-websocket-protocol: graphql-transport-ws\r\n"
_VERSION = b"sec-websocket-version: 13\r\n"
_UPGRADES = (
    _VERSION + _PROTOCOL,
    _VERSION + b"sec-websocket-protocol: graphql-ws\r\n",
    b"sec-websocket-version: 12\r\n" + _PROTOCOL,
    _VERSION + _PROTOCOL + b"sec-websocket-extensions: permessage-deflate\r\n",
    _VERSION + _PROTOCOL + b"origin: http://elsewhere.invalid\r\n",
)


def conversation(documents: tuple[str, ...], key: str, random: Random) -> tuple[bytes, list[bytes]]:
    """The head of a handshake, and what is sent after it."""
    wrong = random.random() < 0.15
    head = (
        b"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        + (random.choice(_UPGRADES) if wrong else _UPGRADES[0])
        + b"\r\n"
    )
    sent = []
    if random.random() < 0.9:
        sent.append(frame(TEXT, _message(type="connection_init", payload={"authorization": f"Bearer {key}"})))
    sent += [_any(documents, random) for _ in range(random.randint(3, 15))]
    return head, sent


def frame(opcode: int, payload: bytes, *, final: bool = True, masked: bool = True, reserved: int = 0) -> bytes:
    """A frame as a client sends it."""
    first = (0x80 if final else 0) | reserved << 4 | opcode
    length, bit = len(payload), 0x80 if masked else 0
    if length < 126:
        head = bytes((first, bit | length))
    elif length < 65_536:
        head = bytes((first, bit | 126)) + struct.pack(">H", length)
    else:
        head = bytes((first, bit | 127)) + struct.pack(">Q", length)
    if not masked:
        return head + payload
    return head + _MASK + bytes(byte ^ _MASK[place & 3] for place, byte in enumerate(payload))


def received(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The whole frames in what a server has sent: opcode and payload."""
    place = 0
    while place + 2 <= len(data):
        opcode, length, start = data[place] & 0x0F, data[place + 1] & 0x7F, place + 2
        if length == 126:
            length, start = int.from_bytes(data[start : start + 2], "big"), start + 2
        elif length == 127:
            length, start = int.from_bytes(data[start : start + 8], "big"), start + 8
        yield opcode, data[start : start + length]
        place = start + length


def is_internal(data: bytes) -> bool:
    """Whether any frame is an answer or a close that calls it the server's own fault."""
    return any(
        (opcode == TEXT and b'"INTERNAL"' in payload)
        or (opcode == CLOSE and len(payload) >= 2 and int.from_bytes(payload[:2], "big") == INTERNAL_CLOSE)
        for opcode, payload in received(data)
    )


def _any(documents: tuple[str, ...], random: Random) -> bytes:
    text = _message(**_odd_message(documents, random))
    match random.randrange(12):
        case 0:
            return frame(TEXT, changed(text, random))
        case 1:
            return frame(BINARY, text)
        case 2:
            cut = random.randrange(len(text) + 1)
            return frame(TEXT, text[:cut], final=False) + frame(PING, b"x") + frame(0, text[cut:])
        case 3:
            return frame(random.choice((PING, PONG, CLOSE)), random.randbytes(random.randrange(140)))
        case 4:
            opcode, reserved = random.choice((TEXT, BINARY, 3, 11, 0)), random.randrange(8)
            return frame(opcode, text, reserved=reserved, masked=random.random() < 0.5)
        case 5:
            return frame(CLOSE, struct.pack(">H", random.choice((0, 999, 1000, 1005, 1011, 4400, 65535))) + b"\xff")
        case 6:
            return random.randbytes(random.randrange(60))
        case _:
            return frame(TEXT, text)


def _odd_message(documents: tuple[str, ...], random: Random) -> dict[str, Any]:
    if random.random() < 0.6:
        payload: Any = {"query": random.choice(documents), "variables": value(random)}
        return {"id": random.choice(("1", "2", "3")), "type": "subscribe", "payload": payload}
    message: dict[str, Any] = {"type": random.choice(_TYPES)}
    if random.random() < 0.7:
        message["id"] = random.choice(("1", "2", "", "x" * 300, 1, None))
    if random.random() < 0.6:
        message["payload"] = value(random)
    return message


def _message(**members: Any) -> bytes:
    return orjson.dumps(members)
