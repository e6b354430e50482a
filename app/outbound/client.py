"""The client for requests to other servers."""

import asyncio
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from time import perf_counter, time
from typing import Any, NamedTuple

import httpcore2
import httpx2

from app.core.trail import Trail, current
from app.outbound.addresses import Address, Network, is_named, is_public, parse_url
from app.outbound.faults import OutboundCode, OutboundFault
from app.outbound.resolver import Lookup, Resolver

SECONDS = 10.0
LARGEST_ANSWER = 65_536
_MOST_KEPT = 50
_KEPT_SECONDS = 30.0
_ADDRESSES_TRIED = 3


class Sent(NamedTuple):
    """A finished request to another server, for traces. `status` is 0 without an answer; `began` is by `time.time`."""

    trail: Trail
    method: str
    host: str
    status: int
    began: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The other server's answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@cache
def _trusted() -> ssl.SSLContext:
    """What the machine trusts: to read its authorities takes 40 ms, which no connection has to wait for again."""
    return ssl.create_default_context()


class OutboundClient:
    """Sends requests to other servers. It follows no redirects and uses no proxies of the environment.

    A host is looked up for each connection, and the connection goes to the address that was checked: a public one, or
    one in `networks`. Plain http is for `networks` alone. One client serves a whole process."""

    def __init__(
        self, networks: Sequence[Network] = (), *, lookup: Lookup | None = None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.watch: Callable[[Sent], None] | None = None
        """Called with each request, which then joins the trace of the work it is sent for."""
        self._resolver = resolver = Resolver(lookup)
        self._networks = {
            "https": _CheckedNetwork(resolver, lambda address: is_public(address) or is_named(address, networks)),
            "http": _CheckedNetwork(resolver, lambda address: is_named(address, networks)),
        }
        self._pools = {
            scheme: httpcore2.AsyncConnectionPool(
                ssl_context=tls or _trusted(),
                max_connections=None,  # a server that hangs must not prevent connections to others
                max_keepalive_connections=_MOST_KEPT,
                keepalive_expiry=_KEPT_SECONDS,
                network_backend=network,
            )
            for scheme, network in self._networks.items()
        }

    async def check(self, url: str, *, seconds: float = SECONDS) -> None:
        """Raises OutboundFault unless the URL may be reached now. Sends nothing."""
        parsed = parse_url(url)
        port = parsed.port or (443 if parsed.scheme == "https" else 80)
        try:
            async with asyncio.timeout(seconds):
                await self._networks[parsed.scheme].addresses(parsed.raw_host.decode("ascii"), port)
        except TimeoutError:
            raise OutboundFault(OutboundCode.TIMEOUT, "The host name was not looked up in time.") from None

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        seconds: float = SECONDS,
        most: int = LARGEST_ANSWER,
        cut: bool = False,
    ) -> Answer:
        """Sends the request once and returns the answer, in at most `seconds` in all.

        A body of more than `most` bytes is cut off there when `cut` is set. Raises OutboundFault."""
        parsed = parse_url(url)
        progress = _Progress()
        given, watch = headers or {}, self.watch
        if watch is None:
            return await self._bounded(method, parsed, given, content, progress, seconds, most, cut)
        trail = _part_of(current())
        began, from_ = time(), perf_counter()
        status = 0
        try:
            given = {**given, "traceparent": trail.traceparent or ""}
            answer = await self._bounded(method, parsed, given, content, progress, seconds, most, cut)
            status = answer.status
            return answer
        finally:
            watch(Sent(trail, method, parsed.host, status, began, perf_counter() - from_))

    async def _bounded(
        self,
        method: str,
        url: httpx2.URL,
        headers: Mapping[str, str],
        content: bytes,
        progress: "_Progress",
        seconds: float,
        most: int,
        cut: bool,
    ) -> Answer:
        try:
            async with asyncio.timeout(seconds):
                return await self._send(method, url, headers, content, progress, most, cut)
        except OutboundFault:
            raise
        except TimeoutError:
            raise progress.fault(
                OutboundCode.TIMEOUT, f"There was no whole answer within {seconds:g} seconds."
            ) from None
        except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
            raise progress.network_fault(error) from None
        except (httpcore2.ProtocolError, httpcore2.UnsupportedProtocol):
            raise progress.fault(OutboundCode.PROTOCOL, "The answer was not HTTP, or ended early.") from None

    async def _send(
        self,
        method: str,
        url: httpx2.URL,
        headers: Mapping[str, str],
        content: bytes,
        progress: "_Progress",
        most: int,
        cut: bool,
    ) -> Answer:
        request_headers = {"accept-encoding": "identity", **headers}
        async with self._pools[url.scheme].stream(
            method,
            httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=list(request_headers.items()),
            content=content,
            extensions={"trace": progress.trace},
        ) as response:
            answer_headers = {
                name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers
            }
            parts: list[bytes] = []
            room = most
            async for part in response.aiter_stream():
                parts.append(part[:room])
                room -= len(part)
                if room < 0:
                    if cut:
                        break
                    raise OutboundFault(
                        OutboundCode.TOO_LARGE, f"The answer has more than {most:,} bytes.", may_have_arrived=True
                    )
            return Answer(response.status, answer_headers, b"".join(parts))

    async def aclose(self) -> None:
        """Close all connections and end all look-ups."""
        self._resolver.close()
        for pool in self._pools.values():
            await pool.aclose()


def _part_of(above: Trail | None) -> Trail:
    """The trail of the request on whose behalf this one is sent, or a new one."""
    trail = Trail()
    trail.trace(None)
    if above is not None and above.trace_id is not None:
        trail.trace_id, trail.parent, trail.is_sampled = above.trace_id, above.span, above.is_sampled
    return trail


class _Progress:
    """How far a request has come."""

    def __init__(self) -> None:
        self.may_have_arrived = False

    async def trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(".send_request_headers.started"):
            self.may_have_arrived = True

    def fault(self, code: OutboundCode, message: str) -> OutboundFault:
        return OutboundFault(code, message, may_have_arrived=self.may_have_arrived)

    def network_fault(self, error: Exception) -> OutboundFault:
        cause = _tls_error(error)
        if isinstance(cause, ssl.SSLCertVerificationError):
            return self.fault(OutboundCode.CERTIFICATE, f"The certificate does not fit: {cause.verify_message}.")
        if cause is not None:
            return self.fault(OutboundCode.CERTIFICATE, "The server does not speak TLS as it has to.")
        if self.may_have_arrived:
            return self.fault(OutboundCode.CONNECTION, "The connection ended before the answer.")
        return self.fault(OutboundCode.CONNECTION, "The server cannot be connected to.")


def _tls_error(error: BaseException | None) -> ssl.SSLError | None:
    """The TLS error that caused this one, if any."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


class _CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Connects only to the permitted addresses of a host."""

    def __init__(self, resolver: Resolver, permitted: Callable[[Address], bool]) -> None:
        self._network = httpcore2.AnyIOBackend()
        self._resolver = resolver
        self._permitted = permitted

    async def addresses(self, host: str, port: int) -> list[Address]:
        """The permitted addresses of the host. Raises OutboundFault when there are none."""
        found = [address for address in await self._resolver.resolve(host, port) if self._permitted(address)]
        if not found:
            raise OutboundFault(
                OutboundCode.ADDRESS_REFUSED,
                "The address is private, or plain http; SWITCHBOARD_OUTBOUND_NETWORKS names the networks where that is "
                "allowed.",
            )
        return found

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failure: Exception | None = None
        for address in (await self.addresses(host, port))[:_ADDRESSES_TRIED]:
            try:
                stream = await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
                return _UnfinishedStream(stream)
            except httpcore2.ConnectError as error:
                failure = error
        assert failure is not None
        raise failure

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


class _UnfinishedStream(httpcore2.AsyncNetworkStream):
    """A connection that closes when its TLS handshake is cancelled; httpcore would leave it open."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore2.AsyncNetworkStream:
        try:
            return await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except asyncio.CancelledError:
            await self.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
