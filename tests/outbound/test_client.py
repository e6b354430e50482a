import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import pytest

from app.outbound import OutboundClient, OutboundCode, OutboundFault
from tests.outbound.certificates import certificate
from tests.serving import PATIENCE

pytestmark = pytest.mark.anyio

LOOPBACK = (ip_network("127.0.0.0/8"),)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Kind: good\r\n\r\nok"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def says(answer: bytes, heard: list[bytes] | None = None) -> Handler:
    """Read one request and give this answer."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")), 0)
        if heard is not None:
            heard.append(head + await reader.readexactly(length))
        writer.write(answer)
        await writer.drain()

    return handle


@asynccontextmanager
async def serving(handle: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server at loopback, by its port."""
    writers: list[asyncio.StreamWriter] = []

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            await handle(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(keep, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


@pytest.fixture
async def client() -> AsyncIterator[OutboundClient]:
    client = OutboundClient(LOOPBACK)
    yield client
    await client.aclose()


async def fault(sending: Awaitable[object]) -> OutboundFault:
    with pytest.raises(OutboundFault) as caught:
        await sending
    return caught.value


async def test_answer_has_status_headers_and_body(client: OutboundClient) -> None:
    heard: list[bytes] = []
    async with serving(says(OK, heard)) as port:
        answer = await client.send(
            "POST", f"http://127.0.0.1:{port}/a?b=c", headers={"X-Mine": "1"}, content=b'{"a":1}'
        )
    assert (answer.status, answer.headers["x-kind"], answer.content) == (200, "good", b"ok")
    head, _, body = heard[0].partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    assert lines[0] == b"post /a?b=c http/1.1"
    assert {b"x-mine: 1", b"accept-encoding: identity", b"host: 127.0.0.1:%d" % port} < set(lines)
    assert body == b'{"a":1}'


async def test_redirect_is_an_answer(client: OutboundClient) -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    async with serving(says(moved)) as port:
        assert (await client.send("GET", f"http://127.0.0.1:{port}/")).status == 302


async def test_address_that_is_private_is_refused_before_anything_is_sent() -> None:
    client = OutboundClient()
    heard: list[bytes] = []
    async with serving(says(OK, heard)) as port:
        for url in (f"http://127.0.0.1:{port}/", f"https://127.0.0.1:{port}/", f"http://localhost:{port}/"):
            refused = await fault(client.send("GET", url))
            checked = await fault(client.check(url))
            assert (refused.code, refused.may_have_arrived) == (OutboundCode.ADDRESS_REFUSED, False)
            assert checked.code is OutboundCode.ADDRESS_REFUSED
            assert "SWITCHBOARD_OUTBOUND_NETWORKS" in refused.message
    assert heard == []
    await client.aclose()


async def test_plain_http_to_a_public_address_is_refused() -> None:
    async def lookup(host: str, port: int) -> Sequence[str]:
        return ["8.8.8.8"]

    client = OutboundClient(LOOPBACK, lookup=lookup)
    assert (await fault(client.check("http://example.com/"))).code is OutboundCode.ADDRESS_REFUSED
    await client.check("https://example.com/")
    await client.aclose()


async def test_name_is_looked_up_for_each_connection_and_its_address_checked_then() -> None:
    """A name that leads elsewhere after it was saved gets no connection there."""
    answers = [["8.8.8.8"], ["127.0.0.1"], ["10.0.0.1", "::1"]]
    asked: list[tuple[str, int]] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        asked.append((host, port))
        return answers.pop(0)

    client = OutboundClient(lookup=lookup)
    await client.check("https://rebinding.example/")
    for _ in range(2):
        assert (await fault(client.send("GET", "https://rebinding.example/"))).code is OutboundCode.ADDRESS_REFUSED
    assert asked == [("rebinding.example", 443)] * 3
    await client.aclose()


async def test_connection_goes_to_a_permitted_address_of_several() -> None:
    async def lookup(host: str, port: int) -> Sequence[str]:
        return ["10.0.0.1", "fe80::1%eth0", "127.0.0.1"]

    client = OutboundClient(LOOPBACK, lookup=lookup)
    heard: list[bytes] = []
    async with serving(says(OK, heard)) as port:
        assert (await client.send("GET", f"http://inside.example:{port}/")).status == 200
    assert b"host: inside.example:%d" % port in heard[0].lower()
    await client.aclose()


async def test_name_without_an_address_is_a_fault() -> None:
    async def lookup(host: str, port: int) -> Sequence[str]:
        raise OSError("no such name")

    client = OutboundClient(lookup=lookup)
    found = await fault(client.send("GET", "https://nowhere.example/"))
    assert (found.code, found.may_have_arrived) == (OutboundCode.UNRESOLVED, False)
    await client.aclose()


@pytest.mark.parametrize("host", [".", "..", "a..example", f"{64 * 'a'}.example"])
async def test_name_that_no_host_can_have_has_no_address(host: str) -> None:
    client = OutboundClient()
    found = await fault(client.check(f"https://{host}/"))
    assert found.code is OutboundCode.UNRESOLVED
    await client.aclose()


async def test_address_is_looked_up_nowhere() -> None:
    asked: list[str] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return [host]

    client = OutboundClient(LOOPBACK, lookup=lookup)
    await client.check("http://127.0.0.1/")
    found = await fault(client.check("http://[::1]/"))
    assert (found.code, asked) == (OutboundCode.ADDRESS_REFUSED, [])
    await client.aclose()


async def test_name_server_that_hangs_is_asked_once_a_name_and_ends_by_the_limit() -> None:
    asked = 0

    async def lookup(host: str, port: int) -> Sequence[str]:
        nonlocal asked
        asked += 1
        await asyncio.Event().wait()
        raise AssertionError

    client = OutboundClient(lookup=lookup)
    sent = (client.send("GET", "https://slow.example/", seconds=0.05) for _ in range(5))
    checked = client.check("https://slow.example/", seconds=0.05)
    found = await asyncio.gather(*map(fault, sent), fault(checked))
    assert [(one.code, one.may_have_arrived) for one in found] == [(OutboundCode.TIMEOUT, False)] * 6
    assert asked == 1
    await client.aclose()


async def test_server_that_cannot_be_connected_to_is_a_fault_without_doubt(client: OutboundClient) -> None:
    async with serving(says(OK)) as port:
        pass
    found = await fault(client.send("GET", f"http://127.0.0.1:{port}/"))
    assert (found.code, found.may_have_arrived) == (OutboundCode.CONNECTION, False)


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(-1)


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")
    await reader.read(-1)


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("handle", [silence, drip])
async def test_answer_that_takes_too_long_leaves_doubt(client: OutboundClient, handle: Handler) -> None:
    async with serving(handle) as port:
        found = await fault(client.send("POST", f"http://127.0.0.1:{port}/", content=b"x", seconds=0.5))
    assert (found.code, found.may_have_arrived) == (OutboundCode.TIMEOUT, True)
    assert found.message == "There was no whole answer within 0.5 seconds."


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"", OutboundCode.PROTOCOL),
        (b"SSH-2.0-OpenSSH_9.9\r\n", OutboundCode.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", OutboundCode.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n", OutboundCode.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 65_537, OutboundCode.TOO_LARGE),
    ],
)
async def test_answer_that_is_none_leaves_doubt(client: OutboundClient, answer: bytes, code: OutboundCode) -> None:
    async with serving(says(answer)) as port:
        found = await fault(client.send("POST", f"http://127.0.0.1:{port}/"))
    assert (found.code, found.may_have_arrived) == (code, True)


async def test_answer_of_the_largest_size_is_whole_and_a_larger_one_is_cut_when_asked(client: OutboundClient) -> None:
    async with serving(says(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100)) as port:
        assert len((await client.send("GET", f"http://127.0.0.1:{port}/", most=100)).content) == 100
        assert len((await client.send("GET", f"http://127.0.0.1:{port}/", most=99, cut=True)).content) == 99
        found = await fault(client.send("GET", f"http://127.0.0.1:{port}/", most=99))
    assert found.code is OutboundCode.TOO_LARGE


async def test_header_that_would_end_its_line_is_not_sent(client: OutboundClient) -> None:
    heard: list[bytes] = []
    async with serving(says(OK, heard)) as port:
        found = await fault(client.send("GET", f"http://127.0.0.1:{port}/", headers={"X": "a\r\nY: b"}))
    assert found.code is OutboundCode.PROTOCOL
    assert heard == []


async def test_certificate_has_to_fit_the_name_and_be_trusted(tmp_path: Path) -> None:
    async def lookup(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    tls = certificate(tmp_path, "mine.example")
    trusting = ssl.create_default_context(cafile=tmp_path / "certificate.pem")
    heard: list[bytes] = []
    async with serving(says(OK, heard), tls) as port:
        client = OutboundClient(LOOPBACK, lookup=lookup, tls=trusting)
        assert (await client.send("GET", f"https://mine.example:{port}/")).content == b"ok"
        found = [await fault(client.send("GET", f"https://other.example:{port}/"))]
        stranger = OutboundClient(LOOPBACK, lookup=lookup)
        found.append(await fault(stranger.send("GET", f"https://mine.example:{port}/")))
    assert [(one.code, one.may_have_arrived) for one in found] == [(OutboundCode.CERTIFICATE, False)] * 2
    assert found[0].message.startswith("The certificate does not fit: Hostname mismatch")
    assert len(heard) == 1
    await client.aclose()
    await stranger.aclose()


@pytest.mark.parametrize(
    ("handle", "seconds", "code"), [(silence, 0.2, OutboundCode.TIMEOUT), (greet, PATIENCE, OutboundCode.CERTIFICATE)]
)
async def test_server_without_tls_ends_the_handshake_and_its_connection(
    handle: Handler, seconds: float, code: OutboundCode
) -> None:
    ended = asyncio.Event()

    async def until_its_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handle(reader, writer)
        finally:
            ended.set()

    client = OutboundClient(LOOPBACK)
    async with serving(until_its_end) as port:
        found = await fault(client.send("GET", f"https://127.0.0.1:{port}/", seconds=seconds))
        await asyncio.wait_for(ended.wait(), PATIENCE)
    assert (found.code, found.may_have_arrived) == (code, False)
    await client.aclose()
