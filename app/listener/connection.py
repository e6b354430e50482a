"""A graphql-transport-ws client connection with a limit on every wait."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from app.listener.faults import Broken, Refused, fault_of

_PROTOCOL = Subprotocol("graphql-transport-ws")
_FATAL = {4400, 4401, 4406, 4409, 4429}  # docs/live.md: with these a reconnection would be closed again
_PASSING_STATUS = {408, 425, 429}
_MOST_BYTES = 4 * 1024 * 1024

Message = Mapping[str, Any]


class _Opening(connect):
    """Follows no redirect: the key would be sent to the redirect's target."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


@dataclass(frozen=True, slots=True)
class Patience:
    """Limits in seconds: to connect and to send, of silence before a ping, and from a ping to any message."""

    opening: float = 10.0
    sending: float = 10.0
    silence: float = 10.0
    pong: float = 5.0


class Connection:
    """An open connection, after `connection_ack`."""

    def __init__(self, socket: ClientConnection, patience: Patience) -> None:
        self._socket = socket
        self._patience = patience
        self._ids = count(1)

    async def ask(self, query: str, variables: Mapping[str, object]) -> Any:
        """Runs a query and returns its data. Raises Broken, Lost and Refused."""
        async with aclosing(self.items(query, variables)) as answers:
            async for answer in answers:
                if answer.get("errors"):
                    raise fault_of(answer["errors"])
                return answer["data"]
        raise Broken("the server gave no answer")

    async def items(self, query: str, variables: Mapping[str, object]) -> AsyncGenerator[Message, None]:
        """Yields the results of an operation until it completes. Raises Broken, Lost and Refused."""
        operation = str(next(self._ids))
        await self._send({"id": operation, "type": "subscribe", "payload": {"query": query, "variables": variables}})
        while True:
            message = await self.take()
            if message.get("id") != operation:
                continue
            match message["type"]:
                case "next":
                    yield message["payload"]
                case "error":
                    raise fault_of(message["payload"])
                case "complete":
                    return

    async def begin(self, key: str) -> None:
        """Send `connection_init` with the key and wait for `connection_ack`. Raises Broken and Refused."""
        await self._send({"type": "connection_init", "payload": {"authorization": f"Bearer {key}"}})
        if (await self.take())["type"] != "connection_ack":
            raise Broken("the server did not acknowledge the connection")

    async def take(self) -> Message:
        """The next message other than ping and pong. Raises Broken and Refused.

        A network that drops packets looks like a quiet server, so silence is answered with a ping, and silence after
        the ping raises Broken. Time counts only inside this method: a slow command is not the connection's fault."""
        asked = False
        while True:
            try:
                async with asyncio.timeout(self._patience.pong if asked else self._patience.silence):
                    text = await self._socket.recv()
            except TimeoutError:
                if asked:
                    raise Broken("the server is silent") from None
                await self._send({"type": "ping"})
                asked = True
                continue
            except ConnectionClosed as closed:
                raise _closed(closed) from None
            asked = False
            message = _read(text)
            if message["type"] == "ping":
                await self._send({"type": "pong"})
            elif message["type"] != "pong":
                return message

    async def _send(self, message: Message) -> None:
        try:
            async with asyncio.timeout(self._patience.sending):
                await self._socket.send(orjson.dumps(message).decode())
        except TimeoutError:
            raise Broken("the server takes nothing") from None
        except ConnectionClosed as closed:
            raise _closed(closed) from None


@asynccontextmanager
async def opened(url: str, key: str, patience: Patience) -> AsyncIterator[Connection]:
    """Connects to the graph at the address. Raises Broken and Refused."""
    opening = _Opening(
        websocket_url(url),
        subprotocols=[_PROTOCOL],
        open_timeout=patience.opening,
        close_timeout=1,
        ping_interval=None,
        max_size=_MOST_BYTES,
    )
    try:
        socket = await opening
    except InvalidStatus as answer:
        status = answer.response.status_code
        fault = f"the server answered with status {status}"
        raise (Broken if status >= 500 or status in _PASSING_STATUS else Refused)(fault) from None
    except (OSError, WebSocketException, EOFError) as error:
        raise Broken(str(error) or type(error).__name__) from None
    try:
        if socket.subprotocol != _PROTOCOL:
            raise Refused(f"the server does not speak {_PROTOCOL}")
        connection = Connection(socket, patience)
        await connection.begin(key)
        yield connection
    finally:
        await socket.close()


def websocket_url(url: str) -> str:
    """The address with `ws` or `wss` as its scheme. Raises ValueError."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}.get(parts.scheme)
    if scheme is None or not parts.hostname:
        raise ValueError("it has to be an address such as https://switchboard.example.com/graphql")
    return urlunsplit((scheme, parts.netloc, parts.path or "/graphql", parts.query, ""))


def _read(text: str | bytes) -> Message:
    try:
        found = orjson.loads(text)
    except ValueError:
        raise Broken("the server sent something else than JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        raise Broken("the server sent something else than a message")
    return found


def _closed(closed: ConnectionClosed) -> Exception:
    frame = closed.rcvd
    if frame is None:
        return Broken("the connection broke")
    fault = f"the server closed the connection with {frame.code}: {frame.reason or 'no reason'}"
    return Refused(fault) if frame.code in _FATAL else Broken(fault)
