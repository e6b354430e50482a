import asyncio
from collections.abc import Callable
from typing import Any, cast

import orjson
import pytest

from app.http.intake import BODY_PIECE, PIECE, SHARE, Intake, Pacing
from tests.serving import PATIENCE, Served

pytestmark = pytest.mark.anyio


class Transport:
    """Notes whether it is read from."""

    def __init__(self) -> None:
        self.reads = True
        self.aborted = False

    def is_closing(self) -> bool:
        return self.aborted

    def pause_reading(self) -> None:
        assert self.reads
        self.reads = False

    def resume_reading(self) -> None:
        assert not self.reads
        self.reads = True

    def abort(self) -> None:
        self.aborted = True


class Clock:
    """Moves by so many seconds with each piece that is parsed."""

    def __init__(self, each: float) -> None:
        self.each = each
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Connection:
    """An intake that notes what was parsed, in pieces."""

    def __init__(
        self, pacing: Pacing, clock: Clock, parsed: Callable[[bytes], None] = lambda _: None, *, new: bool = False
    ) -> None:
        self.pieces: list[bytes] = []
        self.transport = Transport()
        self._clock = clock
        self._parsed = parsed
        self.left: list[bool] = []
        self.intake = Intake(pacing, cast("Any", self.transport), self._parse, self.left.append)
        self.intake.is_new = new

    def _parse(self, piece: bytes) -> None:
        self._clock.now += self._clock.each
        self.pieces.append(piece)
        self._parsed(piece)


def made(each: float = SHARE) -> tuple[Pacing, Clock]:
    clock = Clock(each)
    return Pacing(clock, pause=0.0), clock


async def rows(pacing: Pacing, number: int) -> None:
    """Let as many rows of pieces be parsed, or all that there are."""
    until = pacing.turns + number
    for _ in range(1_000):
        if pacing.turns >= until or not pacing.waits:
            return
        await asyncio.sleep(0)
    raise AssertionError("nothing more is parsed")


async def test_intake_parses_what_is_little_at_once() -> None:
    connection = Connection(*made())
    connection.intake.take(b"x" * PIECE)
    assert connection.pieces == [b"x" * PIECE]
    assert connection.transport.reads


async def test_intake_parses_what_is_much_in_pieces_and_reads_nothing_meanwhile() -> None:
    pacing, clock = made()
    connection = Connection(pacing, clock)
    given = bytes(range(256)) * 37 + b"the end"
    connection.intake.take(given)
    assert (connection.pieces, connection.transport.reads) == ([], False)
    await rows(pacing, 1)
    assert connection.pieces == [given[:PIECE]]
    await rows(pacing, 20)
    assert b"".join(connection.pieces) == given
    assert max(map(len, connection.pieces)) == PIECE
    assert connection.transport.reads
    # One piece took the share of a turn.
    assert pacing.turns == pacing.pieces == len(connection.pieces) == 10


async def test_intake_of_one_turn_is_bounded_over_all_connections() -> None:
    pacing, clock = made(SHARE / 4)
    connections = [Connection(pacing, clock) for _ in range(8)]
    for connection in connections:
        connection.intake.take(b"x" * PIECE * 3)
    await rows(pacing, 1)
    assert [len(each.pieces) for each in connections] == [1, 1, 1, 1, 0, 0, 0, 0]
    await rows(pacing, 1)
    assert [len(each.pieces) for each in connections] == [1] * 8
    # What is little goes before all of them.
    other = Connection(pacing, clock)
    other.intake.take(b"x")
    assert other.pieces == [b"x"]
    await rows(pacing, 5)
    assert [len(each.pieces) for each in connections] == [3] * 8
    assert all(each.transport.reads for each in connections)


async def test_intake_of_a_body_of_known_length_is_parsed_in_larger_pieces() -> None:
    pacing, clock = made()
    connection = Connection(pacing, clock, lambda piece: shorten(len(piece)))

    def shorten(taken: int) -> None:
        connection.intake.body_left = max(connection.intake.body_left - taken, 0)

    connection.intake.body_left = BODY_PIECE * 2 + PIECE * 2
    connection.intake.take(b"a" * connection.intake.body_left + b"b" * PIECE * 2)
    await rows(pacing, 10)
    assert connection.pieces == [
        *[b"a" * size for size in (BODY_PIECE, BODY_PIECE, PIECE * 2)],
        *[b"b" * PIECE] * 2,
    ]


async def test_intake_keeps_the_order_of_what_comes_meanwhile() -> None:
    pacing, clock = made()
    connection = Connection(pacing, clock)
    connection.intake.take(b"a" * PIECE + b"b")
    await rows(pacing, 1)
    connection.intake.take(b"c")
    await rows(pacing, 3)
    assert b"".join(connection.pieces) == b"a" * PIECE + b"bc"
    assert connection.transport.reads


async def test_intake_of_a_new_connection_waits_for_its_turn_and_reads_on() -> None:
    pacing, clock = made(SHARE / 4)
    connections = [Connection(pacing, clock, new=True) for _ in range(6)]
    for connection in connections:
        connection.intake.take(b"x")
        assert (connection.pieces, connection.transport.reads) == ([], True)
    await rows(pacing, 1)
    assert [len(each.pieces) for each in connections] == [1, 1, 1, 1, 0, 0]
    # From now on it is as any other.
    connections[0].intake.take(b"y")
    assert connections[0].pieces == [b"x", b"y"]
    connections[4].intake.take(b"y" * PIECE)
    assert not connections[4].transport.reads
    await rows(pacing, 3)
    assert connections[4].pieces == [b"xy" + b"y" * (PIECE - 2), b"y"]
    assert connections[4].transport.reads


async def test_intake_of_a_new_connection_that_ends_before_its_turn_is_not_parsed() -> None:
    pacing, clock = made()
    connections = [Connection(pacing, clock, new=True) for _ in range(3)]
    for connection in connections:
        connection.intake.take(b"x")
    connections[0].intake.drop()
    connections[1].intake.drop()
    await rows(pacing, 3)
    assert [each.pieces for each in connections] == [[], [], [b"x"]]


async def test_intake_that_is_held_parses_and_reads_nothing() -> None:
    pacing, clock = made()
    connection = Connection(pacing, clock)
    connection.intake.hold(True)
    connection.intake.take(b"a")
    await rows(pacing, 3)
    assert (connection.pieces, connection.transport.reads, pacing.turns) == ([], False, 0)
    connection.intake.hold(False)
    await rows(pacing, 2)
    assert (connection.pieces, connection.transport.reads) == ([b"a"], True)


async def test_intake_that_its_parser_holds_goes_no_further() -> None:
    pacing, clock = made()
    connection = Connection(pacing, clock, lambda _: connection.intake.hold(True))
    connection.intake.take(b"a" * PIECE * 4)
    await rows(pacing, 5)
    assert len(connection.pieces) == 1
    connection.intake.hold(False)
    await rows(pacing, 5)
    assert len(connection.pieces) == 2
    assert not connection.transport.reads


async def test_intake_that_is_dropped_parses_nothing_more() -> None:
    pacing, clock = made()
    connection = Connection(pacing, clock)
    connection.intake.take(b"a" * PIECE * 4)
    await rows(pacing, 1)
    connection.intake.drop()
    assert connection.transport.reads
    await rows(pacing, 3)
    assert len(connection.pieces) == 1


async def test_intake_that_is_ended_lets_its_parser_go_and_says_so() -> None:
    pacing, clock = made()
    connection = Connection(pacing, clock)
    connection.intake.take(b"a" * PIECE * 4)
    await rows(pacing, 1)
    connection.intake.end(was_answered=True)
    await rows(pacing, 3)
    connection.intake.parse(b"a")
    assert (len(connection.pieces), connection.left) == (1, [True])


async def test_intake_whose_parser_fails_ends_its_connection_alone() -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    pacing, clock = made()

    def fail(_: bytes) -> None:
        raise ZeroDivisionError

    broken, sound = Connection(pacing, clock, fail), Connection(pacing, clock)
    broken.intake.take(b"a" * PIECE * 4)
    sound.intake.take(b"b" * PIECE * 2)
    await rows(pacing, 6)
    assert (len(broken.pieces), broken.transport.aborted) == (1, True)
    assert len(sound.pieces) == 2
    assert [type(each["exception"]) for each in told] == [ZeroDivisionError]


def chunked(body: bytes) -> bytes:
    return b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"


HEAD = b"POST /graphql HTTP/1.1\r\nhost: x\r\nx-api-key: admin\r\ncontent-type: application/json\r\n"


@pytest.mark.parametrize(
    ("padding", "what"), [(20_000, "chunks"), (200_000, "body"), (60_000, "head"), (30_000, "headers")]
)
async def test_intake_of_long_requests_is_parsed_piece_by_piece(sqlite_served: Served, padding: int, what: str) -> None:
    pacing = sqlite_served.config.pacing
    body = orjson.dumps({"query": "{ __typename }", "x": "x" * (padding if what in ("chunks", "body") else 0)})
    more = b""
    if what == "head":
        more = b"x: " + b"y" * padding + b"\r\n"
    elif what == "headers":
        more = b"".join(b"x%d: yyyyy\r\n" % number for number in range(padding // 12))
    if what == "chunks":
        given = HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunked(body)
    else:
        given = HEAD + more + b"content-length: %d\r\n\r\n" % len(body) + body
    reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_served.port)
    writer.write(given)
    answer = await asyncio.wait_for(reader.readuntil(b"}}"), PATIENCE)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200 ")
    # All but the ends of what was read at once, which may be short.
    assert pacing.pieces >= len(given) // (BODY_PIECE if what == "body" else PIECE) - 2
    if what == "body":
        # The application takes what has come whenever it is more than 64 KiB, and the rest of a read is a piece.
        assert pacing.pieces <= len(given) // BODY_PIECE * 3


async def test_intake_tells_the_length_of_each_body_anew(sqlite_served: Served) -> None:
    pacing = sqlite_served.config.pacing
    long = orjson.dumps({"query": "{ __typename }", "x": "x" * 100_000})
    requests = [
        HEAD + b"content-length: %d\r\n\r\n" % len(long) + long,
        HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunked(long[:20_000]),
        HEAD + b"content-length: %d\r\n\r\n" % len(long) + long,
    ]
    reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_served.port)
    writer.write(b"".join(requests))
    for status in (b"200", b"400", b"200"):
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert head.startswith(b"HTTP/1.1 " + status)
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await asyncio.wait_for(reader.readexactly(int(length.partition(b":")[2])), PATIENCE)
    writer.close()
    # Pieces of the one in the middle are small, those of the others are not.
    assert len(requests[1]) // PIECE - 2 <= pacing.pieces <= len(requests[1]) // PIECE + len(long) // BODY_PIECE * 6


async def test_intake_of_many_requests_in_one_write_answers_all_of_them(sqlite_served: Served) -> None:
    body = orjson.dumps({"query": "{ __typename }"})
    reader, writer = await asyncio.open_connection("127.0.0.1", sqlite_served.port)
    writer.write((HEAD + b"content-length: %d\r\n\r\n" % len(body) + body) * 100)
    for _ in range(100):
        assert (await asyncio.wait_for(reader.readuntil(b"}}"), PATIENCE)).startswith(b"HTTP/1.1 200 ")
    writer.close()


@pytest.mark.parametrize("length", [10, 2_000, 15_000])
async def test_intake_of_a_socket_takes_messages_of_any_length_in_order(sqlite_served: Served, length: int) -> None:
    async with sqlite_served.socket({"Authorization": "Bearer admin"}) as socket:
        for number in range(5):
            await socket.send(type="ping", payload={"n": number, "x": "é" * (length // 2)})
        for number in range(5):
            assert (await socket.take())["payload"]["n"] == number
