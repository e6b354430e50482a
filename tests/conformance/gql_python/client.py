"""What the Python client gql has to be able to do over each of its transports."""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from gql import Client, GraphQLRequest, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport
from gql.transport.exceptions import TransportConnectionFailed, TransportError, TransportQueryError
from gql.transport.httpx import HTTPXTransport
from gql.transport.websockets import WebsocketsTransport

from tests.conformance.checks import Checks

SERVER = os.environ["SERVER"]
ENDPOINT = f"{SERVER}/graphql"
KEY = os.environ["ADMIN_KEY"]
PATIENCE = 60
Socket = type[WebsocketsTransport] | type[AIOHTTPWebsocketsTransport]
SOCKETS: dict[str, Socket] = {"websockets": WebsocketsTransport, "aiohttp": AIOHTTPWebsocketsTransport}
READ = "query ($id: ID!) { interaction(id: $id) { id attention { level } } }"
RAISE = """mutation ($input: RaiseAttentionInput!) {
  raiseAttention(input: $input) { interaction { attention { level } } errors { code message path } } }"""
CHANGES = """subscription ($id: ID!, $after: String) {
  interactionChanged(id: $id, after: $after) { cursor interaction { attention { level } } } }"""


def sync_client(key: str = KEY) -> Client:
    return Client(transport=HTTPXTransport(url=ENDPOINT, headers={"authorization": f"Bearer {key}"}))


def async_client() -> Client:
    return Client(transport=AIOHTTPTransport(url=ENDPOINT, headers={"x-api-key": KEY}))


def socket_client(transport: Socket, port: int, key: str = KEY) -> Client:
    url = f"ws://127.0.0.1:{port}/graphql"
    return Client(transport=transport(url=url, init_payload={"authorization": f"Bearer {key}"}))


def request(document: str, **variables: Any) -> GraphQLRequest:
    return GraphQLRequest(document, variable_values=variables)


def mutate(client: Client, field: str, type_: str, selection: str, **given: Any) -> dict[str, Any]:
    document = f"mutation ($input: {type_}!) {{ {field}(input: $input) {{ {selection} errors {{ message }} }} }}"
    payload: dict[str, Any] = client.execute(request(document, input=given))[field]
    assert payload["errors"] == [], payload
    return payload


def new_session(name: str) -> tuple[str, str]:
    """A session whose customer has this name: its id, and the cursor of the moment after it was made."""
    client = sync_client()
    customer = mutate(client, "createCustomer", "CreateCustomerInput", "customer { id }", system="SESSION", name=name)
    target = {"customer": {"kind": "SESSION", "customerId": customer["customer"]["id"]}}
    contents = [{"text": {"content": "Hello?"}}]
    received = mutate(
        client, "receiveMessage", "ReceiveMessageInput", "interaction { id }", target=target, contents=contents
    )
    return received["interaction"]["id"], client.execute(gql("{ events(first: 1) { cursor } }"))["events"]["cursor"]


def raise_attention(id_: str, level: str = "URGENT") -> None:
    mutate(sync_client(), "raiseAttention", "RaiseAttentionInput", "interaction { id }", id=id_, level=level)


class Wire:
    """A way to the server on which every connection can be broken at once."""

    def __init__(self) -> None:
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address = urlsplit(SERVER)
        try:
            far_reader, far_writer = await asyncio.open_connection(address.hostname, address.port)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65_536):
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
            self._writers.discard(writer)


@asynccontextmanager
async def wire() -> AsyncIterator[Wire]:
    made = Wire()
    server = await asyncio.start_server(made.connect, "127.0.0.1")
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


def over_http(checks: Checks) -> None:
    client = sync_client()
    with checks.check("a query and a mutation are answered over HTTP, sync"):
        session, _ = new_session("Sync")
        assert client.execute(request(READ, id=session))["interaction"]["id"] == session
        assert client.execute(request(RAISE, input={"id": session}))["raiseAttention"]["errors"] == []
    with checks.check("the client reads the schema from the server, and holds operations against it"):
        knowing = Client(transport=client.transport, fetch_schema_from_transport=True)
        session, _ = new_session("Schema")
        assert knowing.execute(request(READ, id=session))["interaction"]["id"] == session
        assert knowing.schema is not None
        assert "attentionQueue" in knowing.schema.query_type.fields
    with checks.check("why a mutation did nothing is data"):
        refused = client.execute(request(RAISE, input={"id": "ses_999999"}))["raiseAttention"]
        assert refused["interaction"] is None
        assert [(each["code"], each["path"]) for each in refused["errors"]] == [("NOT_FOUND", ["input", "id"])]
    with checks.check("errors of a document are errors of the query, with their codes"):
        error = failure(client, "{ nothing }")
        assert isinstance(error, TransportQueryError), error
        assert error.errors[0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    with checks.check("a key that is not valid is an error of the server"):
        assert "UNAUTHENTICATED" in repr(failure(sync_client("nobody"), "{ __typename }"))


def failure(client: Client, document: str) -> TransportError:
    try:
        client.execute(gql(document))
    except TransportError as error:
        return error
    raise AssertionError("it did not fail")


async def over_http_async(checks: Checks) -> None:
    with checks.check("a query is answered over HTTP, async"):
        session, _ = new_session("Async")
        async with async_client() as client:
            assert (await client.execute(request(READ, id=session)))["interaction"]["id"] == session


async def over_socket(checks: Checks, way: Wire, name: str, transport: Socket) -> None:
    with checks.check(
        f"by {name}: a query, a mutation and subscriptions share a socket; one that fails does not end the others"
    ):
        session, cursor = await asyncio.to_thread(new_session, "Shared")
        async with asyncio.timeout(PATIENCE), socket_client(transport, way.port) as client:
            changes = client.subscribe(request(CHANGES, id=session, after=cursor))
            first = asyncio.ensure_future(anext(changes))
            assert (await client.execute(request(READ, id=session)))["interaction"]["id"] == session
            assert "GRAPHQL_VALIDATION_FAILED" in await refusal(client.execute(gql("{ nothing }")))
            raised = await client.execute(request(RAISE, input={"id": session, "level": "HIGH"}))
            assert raised["raiseAttention"]["errors"] == []
            assert (await first)["interactionChanged"]["interaction"]["attention"]["level"] == "HIGH"
            await changes.aclose()
    with checks.check(
        f"by {name}: a subscription goes on by `after` when the network breaks: nothing twice, nothing missed"
    ):
        session, cursor = await asyncio.to_thread(new_session, "Resumed")
        for level in ("LOW", "NORMAL", "HIGH", "URGENT"):
            await asyncio.to_thread(raise_attention, session, level)
            async with asyncio.timeout(PATIENCE):
                seen, cursor = await until_cut(way, transport, session, cursor)
            assert seen == [level], seen
    with checks.check(f"by {name}: a key that is not valid is refused"):
        told = await refusal(socket_client(transport, way.port, "nobody").connect_async())
        # aiohttp does not pass on why a socket was closed.
        assert "4401" in told or transport is AIOHTTPWebsocketsTransport, told


async def refusal(attempt: Awaitable[Any]) -> str:
    """How what is attempted fails, with its cause."""
    try:
        await asyncio.wait_for(attempt, PATIENCE)
    except TransportError as error:
        return f"{error!r} {error.__cause__!r}"
    raise AssertionError("it did not fail")


async def until_cut(way: Wire, transport: Socket, session: str, cursor: str) -> tuple[list[str], str]:
    """The levels that a subscription tells of until its network breaks, which it does after the first."""
    seen = []
    try:
        async with socket_client(transport, way.port) as client:
            async for found in client.subscribe(request(CHANGES, id=session, after=cursor)):
                item = found["interactionChanged"]
                cursor = item["cursor"]
                seen.append(item["interaction"]["attention"]["level"])
                way.cut()
    except TransportConnectionFailed:
        return seen, cursor
    raise AssertionError("the break was not noticed")


def page_code() -> str:
    page = Path(os.environ["ROOT"], "docs", "live.md").read_text(encoding="utf-8")
    found = re.search(r"\n## With Python\n.*?```python\n(.*?)```", page, re.DOTALL)
    assert found is not None
    return found[1]


def customer_in_need(name: str) -> None:
    raise_attention(new_session(name)[0])


def restart(number: signal.Signals = signal.SIGUSR1) -> None:
    """Have the server stop and start again with the same database, or by SIGUSR2 with an empty one, and wait for it."""
    os.kill(int(os.environ["RUNNER"]), number)
    for wanted in (False, True):
        while is_ready() is not wanted:
            time.sleep(0.05)


def is_ready() -> bool:
    try:
        return bool(httpx.get(f"{SERVER}/readyz").is_success)
    except httpx.TransportError:
        return False


async def as_documented(checks: Checks, way: Wire) -> None:
    with checks.check(
        "the code of docs/live.md tells of customers who need somebody, again after a break, a restart, and with "
        "another database"
    ):
        code = page_code().replace("wss://switchboard.example", f"ws://127.0.0.1:{way.port}")
        arguments = ("-u", "-W", "error::DeprecationWarning:__main__", "-c", f"KEY = {KEY!r}\n{code}")
        process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(PATIENCE):
                assert (await process.stdout.readline()).startswith(b"Waiting:")
                for name in ("First", "Second", "Third"):
                    if name == "Second":
                        way.cut()
                    if name == "Third":
                        await asyncio.to_thread(restart)
                    await asyncio.to_thread(customer_in_need, name)
                    tries, found = await said(process.stdout, name)
                    assert found == f"Somebody is needed: {name}\n"
                    assert bool(tries) == (name != "First"), tries
                await asyncio.to_thread(restart, signal.SIGUSR2)
                _, found = await said(process.stdout, "Waiting:")
                assert found == "Waiting:\n"
        finally:
            process.kill()
            await process.wait()


async def said(output: asyncio.StreamReader, wanted: str) -> tuple[list[str], str]:
    """What the code of the page said of its tries to come back, and the line after them, which holds this text."""
    lines = [(await output.readline()).decode()]
    while wanted not in lines[-1]:
        lines.append((await output.readline()).decode())
    *tries, found = lines
    assert all(line.startswith("once more in a second:") for line in tries), lines
    return tries, found


async def run(checks: Checks) -> None:
    await over_http_async(checks)
    async with wire() as way:
        for name, transport in SOCKETS.items():
            await over_socket(checks, way, name, transport)
        await as_documented(checks, way)


def main() -> int:
    checks = Checks("gql")
    over_http(checks)
    asyncio.run(run(checks))
    return checks.finish()


if __name__ == "__main__":
    raise SystemExit(main())
