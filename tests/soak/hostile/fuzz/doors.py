"""The doors of a server, and one generated request through each."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from random import Random

import orjson

from tests.soak.hostile.fuzz.changes import changed, raw, value, variables, with_refs
from tests.soak.hostile.fuzz.corpus import Corpus, RestRequest
from tests.soak.hostile.fuzz.frames import conversation, is_internal
from tests.soak.hostile.target import Target
from tests.soak.hostile.wire import BROKEN, GRAPHQL, Line, post, request

_PATIENCE = 10.0
"""Seconds within which a whole request has to be answered."""

_QUIET = 0.03
"""Seconds without a byte after which nothing more is waited for, where nothing has to come."""

_LONGEST_VISIT = 2.0
_SHOWN = 3_000
_ACCEPTED = (GRAPHQL, GRAPHQL, "application/json", "*/*", "text/event-stream", "image/png", "")


@dataclass(frozen=True, slots=True)
class Visit:
    """What came of one visit: how many requests it was, a word for the tally, what was sent, as far as it is shown, and
    what is the server's fault."""

    requests: int
    outcome: str
    sent: str
    fault: str | None = None


class Visitor:
    """Goes through the doors. A visit is made of the number of the fuzz and its own, and of nothing else."""

    def __init__(self, target: Target, corpus: Corpus, seed: int) -> None:
        self._target = target
        self._corpus = corpus
        self._seed = seed
        self._lines: list[Line] = []
        self._doors: Mapping[Callable[[Random], Awaitable[Visit]], int] = {
            self.graph: 30,
            self.rest: 35,
            self.malformed: 25,
            self.socket: 10,
        }

    async def visit(self, number: int) -> Visit:
        """The visit with this number."""
        random = Random(f"{self._seed} {number}")
        (door,) = random.choices(list(self._doors), list(self._doors.values()))
        return await door(random)

    async def graph(self, random: Random) -> Visit:
        """GraphQL over HTTP."""
        return await self._asked("graph", self._graph_request(random))

    async def rest(self, random: Random) -> Visit:
        """A request of a contract."""
        return await self._asked("rest", self._rest_request(random))

    async def malformed(self, random: Random) -> Visit:
        """Bytes on a fresh connection."""
        valid = (self._graph_request if random.random() < 0.5 else self._rest_request)(random)
        made = raw(valid, random)
        data = await self._sent([made])
        status = data[9:12].decode("latin-1") if data.startswith(b"HTTP/1.1 ") else "closed"
        fault = f"{status} {data[:300]!r}" if status.startswith("5") and status != "503" else None
        return Visit(1, f"bytes {status}", _shown(made), fault)

    async def socket(self, random: Random) -> Visit:
        """A handshake, and frames after it."""
        head, sent = conversation(self._corpus.documents, self._key(random), random)
        data = await self._sent([head, *sent])
        answer, _, rest = data.partition(b"\r\n\r\n")
        status = answer[9:12].decode("latin-1") or "closed"
        fault = f"{data[-400:]!r}" if is_internal(rest) or status.startswith("5") else None
        return Visit(1 + len(sent), f"frames {status}", _shown(b"".join(sent)), fault)

    def _graph_request(self, random: Random) -> bytes:
        document = random.choice(self._corpus.documents)
        if random.random() < 0.4:
            document = with_refs(document, self._target.refs, random)
        if random.random() < 0.4:
            document = changed(document.encode(errors="replace"), random).decode(errors="replace")
        key, accept = self._key(random), random.choice(_ACCEPTED)
        match random.randrange(8):
            case 0:
                return request("POST", "/graphql", orjson.dumps(value(random)), key=key, accept=accept)
            case 1:
                text = "".join(f"%{byte:02x}" for byte in document.encode(errors="replace")[:8_000])
                return request(random.choice(("GET", "HEAD")), f"/graphql?query={text}", key=key, accept=accept)
            case 2:
                return post(document, variables(random), key=key, accept=accept)
            case _:
                return post(document, key=key, accept=accept)

    def _rest_request(self, random: Random) -> bytes:
        made = random.choice(self._corpus.requests)
        path, body = made.path, made.body
        if random.random() < 0.3:
            path = _printable(changed(path.encode(), random)) or "/"
        if body and random.random() < 0.3:
            body = changed(body, random)
        return self._rest_bytes(RestRequest(made.method, path, made.media_type, body), random)

    def _rest_bytes(self, made: RestRequest, random: Random) -> bytes:
        more = {"content-type": made.media_type} if made.media_type else {}
        return request(made.method, made.path, made.body, key=self._key(random), more=more)

    def _key(self, random: Random) -> str:
        return random.choice((self._target.able, self._target.able, self._target.able, self._target.nobody, "", "no"))

    async def _asked(self, door: str, made: bytes) -> Visit:
        """A whole request over a connection that is kept. A stream is left as soon as it begins."""
        line = self._lines.pop() if self._lines else Line(self._target.port, _PATIENCE)
        if b"accept: text/event-stream" in made[:400]:
            data = await self._sent([made])
            return Visit(1, f"{door} stream {data[9:12].decode('latin-1')}", _shown(made), _internal_stream(data))
        try:
            answer = await line.ask(made)
        except TimeoutError:
            return Visit(1, f"{door} nothing", _shown(made), f"no answer in {_PATIENCE:.0f} s")
        except BROKEN:
            return Visit(1, f"{door} closed", _shown(made))
        self._lines.append(line)
        fault = f"{answer.status} {answer.body[:300]!r}" if answer.is_internal else None
        return Visit(1, f"{door} {answer.status}", _shown(made), fault)

    async def _sent(self, parts: list[bytes]) -> bytes:
        """Send on a fresh connection; what comes back until nothing more does."""
        found = bytearray()
        with suppress(*BROKEN):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._target.port)
            try:
                with suppress(*BROKEN):
                    for part in parts:
                        writer.write(part)
                async with asyncio.timeout(_LONGEST_VISIT):
                    # The first answer may take its time; what comes after it comes at once or not at all.
                    wait = _QUIET * 4
                    while data := await asyncio.wait_for(reader.read(65_536), wait):
                        found += data
                        wait = _QUIET
            finally:
                writer.close()
        return bytes(found)


def _shown(made: bytes) -> str:
    head, _, body = made.partition(b"\r\n\r\n")
    return repr(head[:300] + b" | " + body[:_SHOWN])


def _internal_stream(data: bytes) -> str | None:
    return f"{data[:300]!r}" if b'"INTERNAL"' in data or (data[9:10] == b"5" and data[9:12] != b"503") else None


def _printable(path: bytes) -> str:
    return "".join(chr(byte) for byte in path if 0x21 <= byte < 0x7F)
