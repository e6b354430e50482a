"""Spans as a collector gets them, and a server without one."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import StringIO
from ipaddress import ip_network
from typing import Any

import httpx2
import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from app.asgi import create_app
from app.core.actor import Actor
from app.core.logs import configure_logs
from app.core.trail import Trail
from app.http.watching import Noting
from app.outbound import OutboundClient, Sent
from app.settings import Settings
from app.tracing import tracing
from tests.command_line import ROOT
from tests.destinations.receiving import receiving
from tests.serving import Served, serving

pytestmark = pytest.mark.anyio

ADMIN = Actor(user_id=7, name="Ada", is_admin=True)
CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
MUTATION = 'mutation Make { createProfile(input: { name: "Ada Secret" }) { profile { id } } }'


class Keys:
    """Knows one key."""

    async def actor_of(self, key: str) -> Actor | None:
        return ADMIN if key == "admin" else None


class Collector:
    """What it was sent, span by span."""

    def __init__(self) -> None:
        self.url = ""
        self.spans: list[Any] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: *([0-9]+)", head, re.IGNORECASE)
        assert length is not None
        body = await reader.readexactly(int(length[1]))
        if b"content-encoding: gzip" in head.lower():
            raise AssertionError("it is not asked to compress")
        request = ExportTraceServiceRequest.FromString(body)
        for of_resource in request.resource_spans:
            for of_scope in of_resource.scope_spans:
                self.spans += of_scope.spans
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    async with await asyncio.start_server(collector.serve, "127.0.0.1", 0) as server:
        collector.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/traces"
        yield collector


async def ask(served: Served, document: str, **headers: str) -> Any:
    async with httpx2.AsyncClient() as client:
        given = {"authorization": "Bearer admin", **headers}
        return (await client.post(served.url, json={"query": document}, headers=given)).json()


def settings_of(database_url: str, url: str) -> Settings:
    return Settings(database_url=database_url, pool_size=2, traces_url=url)


@pytest.mark.usefixtures("own_logs", "database")
async def test_trace_of_a_caller_goes_on_in_spans_and_logs(database_url: str) -> None:
    log = StringIO()
    configure_logs("warning", "json", log)
    async with collecting() as collector:
        settings = settings_of(database_url, collector.url).model_copy(update={"access_log": True})
        async with serving(create_app(settings, authenticator=lambda _: Keys()), settings) as served:
            configure_logs("info", "json", log)
            assert "errors" not in await ask(served, MUTATION, traceparent=CALLER)
        # What is left goes out as the server stops.
    by_name = {span.name: span for span in collector.spans}
    assert by_name.keys() == {"POST /graphql", "mutation Make", "command create_profile", "statement"}
    assert {span.trace_id.hex() for span in collector.spans} == {CALLER.split("-")[1]}
    request, operation = by_name["POST /graphql"], by_name["mutation Make"]
    assert request.parent_span_id.hex() == CALLER.split("-")[2]
    assert operation.parent_span_id == request.span_id
    assert by_name["statement"].parent_span_id == by_name["command create_profile"].parent_span_id == operation.span_id
    assert request.start_time_unix_nano <= operation.start_time_unix_nano <= operation.end_time_unix_nano
    assert b"Secret" not in b"".join(span.SerializeToString() for span in collector.spans)
    entries = [orjson.loads(line) for line in log.getvalue().splitlines()]
    assert [each["trace_id"] for each in entries if each["event"] == "answered"] == [CALLER.split("-")[1]]


@pytest.mark.usefixtures("database")
async def test_collector_that_is_away_costs_only_its_traces(database_url: str) -> None:
    settings = settings_of(database_url, "http://127.0.0.1:9/v1/traces")
    async with serving(create_app(settings, authenticator=lambda _: Keys()), settings) as served:
        for _ in range(3):
            assert "errors" not in await ask(served, MUTATION)


async def test_delivery_passes_the_trace_on() -> None:
    told: list[Sent] = []
    async with receiving() as receiver:
        client = OutboundClient((ip_network("127.0.0.0/8"),))
        try:
            await client.send("POST", receiver.url, content=b"{}")
            client.watch = told.append
            await client.send("POST", receiver.url, content=b"{}")
        finally:
            await client.aclose()
    first, second = (dict(each.headers) for each in receiver.requests)
    (sent,) = told
    assert ("traceparent" in first, second["traceparent"]) == (False, sent.trail.traceparent)
    assert (sent.method, sent.host, sent.status) == ("POST", "127.0.0.1", 200)


def test_trace_that_nobody_wants_makes_no_spans() -> None:
    noting = Noting(traces=True, share=0.0)
    mine, theirs = noting.trail("r1"), noting.trail("r2", CALLER.encode())
    refused = noting.trail("r3", CALLER.replace("-01", "-00").encode())
    assert (mine.is_sampled, theirs.is_sampled, refused.is_sampled) == (False, True, False)
    assert theirs.traceparent is not None
    assert theirs.traceparent.startswith(CALLER[:36])
    assert refused.traceparent is not None
    assert refused.traceparent.endswith("-00")
    for wrong in (b"", b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01", b"nonsense"):
        assert noting.trail("r4", wrong).parent is None
    assert Noting().trail("r5", CALLER.encode()).trace_id is None
    with tracing(Settings()) as nothing:
        assert nothing is None
    with tracing(Settings(traces_url="http://127.0.0.1:9/v1/traces")) as traces:
        assert traces is not None
        made: list[object] = []
        traces._tracer = type("Tracer", (), {"start_span": lambda *_, **__: made.append(0)})()
        traces.answered(mine, {"method": "POST", "path": "/graphql"})
        traces.sent(Sent(Trail(), "POST", "example.com", 200, 0.0, 0.1))
        assert made == []


def test_opentelemetry_is_imported_for_a_collector_alone() -> None:
    script = (
        "import sys\n"
        "sys.modules['opentelemetry'] = None\n"
        "import app.asgi\n"
        "from app.settings import Settings, SettingsError\n"
        "from app.tracing import tracing\n"
        "with tracing(Settings()):\n"
        "    pass\n"
        "try:\n"
        "    with tracing(Settings(traces_url='http://127.0.0.1:9/')):\n"
        "        pass\n"
        "except SettingsError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("SWITCHBOARD_TRACES_URL: opentelemetry")
    assert "opentelemetry-sdk" in done.stdout
