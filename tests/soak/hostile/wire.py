"""HTTP/1.1 as an attacker writes it: whole requests as bytes, and the answers."""

import asyncio
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import orjson

BROKEN = (OSError, EOFError, TimeoutError, ValueError)
"""What a connection ends with when the server closes it, does not answer in time, or answers what is not HTTP."""

PATIENCE = 30.0
"""Seconds that an answer may take before its connection is given up."""

_CODE = re.compile(rb'"code":"([A-Z_]+)"')
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_LONGEST_HEAD = 2**20
GRAPHQL = "application/graphql-response+json"


@dataclass(frozen=True)
class Answer:
    """A status and a whole body."""

    status: int
    body: bytes

    @cached_property
    def codes(self) -> frozenset[str]:
        """The codes of errors in a GraphQL answer."""
        return frozenset(code.decode() for code in _CODE.findall(self.body[:20_000]))

    @property
    def is_internal(self) -> bool:
        """Whether the server calls it its own fault; UNAVAILABLE and 503 are no fault."""
        return "INTERNAL" in self.codes or (self.status >= 500 and self.status != 503)

    @property
    def outcome(self) -> str:
        """How it is counted: the status with its codes."""
        return " ".join((str(self.status), *sorted(self.codes)))


def other_address() -> str:
    """An address of this machine that is not the attackers', where it has one: what is shared fairly between addresses
    before a caller is known is no attack on whoever has another one."""
    with socket.socket() as tried:
        try:
            tried.bind(("127.0.0.2", 0))
        except OSError:
            return "127.0.0.1"
        return "127.0.0.2"


class Line:
    """A connection that is kept alive, and opened again after it broke; from the address `own`, if there is one."""

    def __init__(self, port: int, patience: float = PATIENCE, own: str | None = None) -> None:
        self.port = port
        self._patience = patience
        self._own = None if own is None else (own, 0)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> Answer:
        """Send a request and read its answer. Raises one of BROKEN."""
        try:
            async with asyncio.timeout(self._patience):
                if self._streams is None:
                    self._streams = await asyncio.open_connection(
                        "127.0.0.1", self.port, limit=_LONGEST_HEAD, local_addr=self._own
                    )
                reader, writer = self._streams
                writer.write(request)
                return await self._answer(reader, request)
        except BaseException:
            self.close()
            raise

    async def _answer(self, reader: asyncio.StreamReader, request: bytes) -> Answer:
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        length = _LENGTH.search(head)
        if status in (204, 304) or request.startswith(b"HEAD "):
            body = b""
        elif length is not None:
            body = await reader.readexactly(int(length[1]))
        elif b"chunked" in head.lower():
            body = await _chunks(reader)
        else:
            body = await reader.read()
        if b"connection: close" in head.lower():
            self.close()
        return Answer(status, body)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        parts.append((await reader.readexactly(size + 2))[:-2])
    await reader.readuntil(b"\r\n")
    return b"".join(parts)


def command(mutation: str, input_type: str) -> str:
    """The document of a mutation with the variable `$input`."""
    return f"mutation($input: {input_type}!) {{ {mutation}(input: $input) {{ errors {{ code }} clientMutationId }} }}"


def post(
    document: str, variables: Mapping[str, object] | bytes = b"{}", *, key: str = "", accept: str = GRAPHQL
) -> bytes:
    """A GraphQL request; variables given as bytes are sent as they are."""
    given = variables if isinstance(variables, bytes) else orjson.dumps(variables)
    body = b'{"query":' + orjson.dumps(document) + b',"variables":' + given + b"}"
    return request("POST", "/graphql", body, key=key, accept=accept)


def request(
    method: str,
    path: str,
    body: bytes = b"",
    *,
    key: str = "",
    accept: str = "*/*",
    more: Mapping[str, str] | None = None,
) -> bytes:
    """A whole request with a key, if there is one."""
    headers = {"host": "127.0.0.1", "accept": accept}
    if key:
        headers["authorization"] = f"Bearer {key}"
    if body:
        headers["content-type"] = "application/json"
    if body or method in ("POST", "PUT", "PATCH"):
        headers["content-length"] = str(len(body))
    headers |= more or {}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body
