"""A live scrape, by Prometheus' own parser, and the files that name what is in it."""

import asyncio
import json
import random
import re
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
import yaml  # type: ignore[import-untyped]
from prometheus_client.parser import text_string_to_metric_families

from app.asgi import create_app
from app.connections.tables import connected_system
from app.core.actor import Actor
from app.core.clock import utc_now
from app.core.trail import Trail
from app.http.cycle import Cycle
from app.metrics import measuring
from app.metrics.counts import MOST_ALIKE, MOST_KEPT, NO_NAME, OTHER, Counts, Names
from app.settings import Settings, SettingsError, load_settings
from app.storage.database import Database, Work
from tests.serving import PATIENCE, Served, eventually, serving

pytestmark = pytest.mark.anyio

DOCS = Path(__file__).parents[2] / "docs" / "operations"
KEY = {"authorization": "Bearer admin", "x-client-name": "wallboard"}
SCRAPE = "a key for the scrapes"
ADMIN = Actor(user_id=7, name="Ada", is_admin=True)
LISTEN = "subscription All { interactionChanged { cursor } }"

Samples = Mapping[tuple[str, tuple[tuple[str, str], ...]], float]


class Keys:
    """Knows one key."""

    async def actor_of(self, key: str) -> Actor | None:
        return ADMIN if key == "admin" else None


class Measured:
    """A server, and where it is scraped."""

    def __init__(self, served: Served, port: int) -> None:
        self.served = served
        self.at = f"http://127.0.0.1:{port}/metrics"

    async def scrape(self) -> Samples:
        async with httpx2.AsyncClient() as client:
            answer = await client.get(self.at, headers={"authorization": f"Bearer {SCRAPE}"})
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/plain")
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    async def left(self) -> None:
        """Wait until the server knows that every listener has left."""
        await eventually(lambda: len(self.served.server.lifespan.state["services"].connections) == 0)

    async def ask(self, document: str) -> None:
        async with httpx2.AsyncClient() as client:
            await client.post(self.served.url, json={"query": document}, headers=KEY)


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples[f"switchboard_{name}", tuple(sorted(labels.items()))]


@pytest.fixture
async def measured(database: Database, database_url: str) -> AsyncIterator[Measured]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    given = {"metrics_port": port, "metrics_key": SCRAPE, "pool_size": 2, "database_url": database_url}
    settings = Settings.model_validate(given)
    async with serving(create_app(settings, authenticator=lambda _: Keys()), settings) as served:
        yield Measured(served, port)


async def test_scrape_counts_what_was_done(measured: Measured) -> None:
    for _ in range(3):
        await measured.ask("query Who { viewer { user { name } } }")
    await measured.ask("query Broken { nothing }")
    await measured.ask('mutation Make { createProfile(input: { name: "Ada" }) { profile { id } } }')
    async with measured.served.socket(KEY) as opened:
        await opened.listen("1", LISTEN)
        samples = await measured.scrape()
        assert (of(samples, "streams"), of(samples, "subscriptions")) == (1, 1)
    await measured.left()
    samples = await measured.scrape()
    assert of(samples, "requests_total", transport="graphql", status="200") == 5
    assert of(samples, "operations_total", operation="Who", kind="query", outcome="ok") == 3
    assert of(samples, "operations_total", operation="Make", kind="mutation", outcome="ok") == 1
    assert of(samples, "operations_total", operation=NO_NAME, kind=NO_NAME, outcome="GRAPHQL_VALIDATION_FAILED") == 1
    assert of(samples, "operation_seconds_count", operation="Who") == 3
    assert of(samples, "operation_seconds_bucket", operation="Who", le="+Inf") == 3
    assert of(samples, "client_operations_total", client="wallboard") == 6
    assert of(samples, "streams_ended_total", reason="client") == 1
    assert of(samples, "commands_total") >= of(samples, "commits_total") >= 1
    assert of(samples, "compiled_total") >= 3
    assert of(samples, "pool_connections", pool="reads") >= 1
    assert (of(samples, "database_up"), of(samples, "feed_readable")) == (1, 1)
    levels = {dict(labels)["level"] for name, labels in samples if name == "switchboard_queue_interactions"}
    assert levels == {"LOW", "NORMAL", "HIGH", "URGENT"}
    assert of(samples, "deadline_lateness_seconds") == 0


async def test_connection_that_does_not_reach_its_system_is_at_fault(measured: Measured, database: Database) -> None:
    def attach(work: Work) -> None:
        new = {"system": "X", "settings": {}, "token": "x", "paused": False, "refused_count": 0, "version": 1}
        new |= {"created_at": work.now, "updated_at": work.now, "fault": None, "reach_fault": None, "missing": None}
        new |= {"last_refused_at": None, "last_delivery_at": None}
        later = work.now + timedelta(seconds=1)
        faults: list[dict[str, object]] = [
            {},
            {"reach_fault": "SILENT"},
            {"fault": "SECRET_UNREADABLE"},
            {"missing": 25},
            {"last_refused_at": work.now},
            {"last_refused_at": later, "last_delivery_at": work.now},
            {"last_refused_at": work.now, "last_delivery_at": later},
            {"reach_fault": "TOKEN", "paused": True},
        ]
        rows = [{**new, **each, "name": str(number)} for number, each in enumerate(faults)]
        work.connection.execute(sa.insert(connected_system), rows)

    await database.command(attach)
    samples = await measured.scrape()
    counted = {state: of(samples, "connections", state=state) for state in ("taking", "at_fault", "paused")}
    assert counted == {"taking": 2, "at_fault": 5, "paused": 1}


async def test_stranger_gets_nothing(measured: Measured) -> None:
    async with httpx2.AsyncClient() as client:
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": SCRAPE}):
            answer = await client.get(measured.at, headers=headers)
            assert (answer.status_code, "switchboard_" in answer.text) == (401, False)
        elsewhere = measured.at.replace("/metrics", "/other")
        assert (await client.get(elsewhere, headers={"authorization": f"Bearer {SCRAPE}"})).status_code == 404
        on_the_graphs_port = measured.served.url.replace("/graphql", "/metrics")
        assert (await client.get(on_the_graphs_port, headers=KEY)).status_code == 404


async def _status(client: httpx2.AsyncClient, at: str) -> int | None:
    try:
        return (await client.get(at)).status_code
    except httpx2.ConnectError:
        return None


async def test_worker_that_takes_anothers_place_takes_its_port(measured: Measured) -> None:
    services = measured.served.server.lifespan.state["services"]
    taken = int(measured.at.split(":")[2].split("/")[0])
    given = {"metrics_port": taken, "metrics_key": SCRAPE, "workers": 1}
    alone = Settings.model_validate(given)
    with pytest.raises(SettingsError, match=f"^SWITCHBOARD_METRICS_PORT: port {taken} is in use"):
        async with measuring(alone, services, Counts(), utc_now):
            pass
    with socket.create_server(("127.0.0.1", 0)) as former:
        port = former.getsockname()[1]
        # As of two workers, of which each has a port.
        pair = alone.model_copy(update={"metrics_port": port, "workers": 2})
        with socket.socket() as second:
            try:
                second.bind(("127.0.0.1", port + 1))
                second.listen()
            except OSError:
                pass  # somebody else has it, which is as good
            async with measuring(pair, services, Counts(), utc_now, again=0.01):
                former.close()
                at = f"http://127.0.0.1:{port}/metrics"
                async with httpx2.AsyncClient() as client:
                    for _ in range(int(PATIENCE / 0.01)):
                        if (found := await _status(client, at)) is not None:
                            break
                        await asyncio.sleep(0.01)
                assert found == 401


def test_metrics_that_others_reach_need_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHBOARD_METRICS_PORT", "9464")
    assert load_settings().metrics_host == "127.0.0.1"
    monkeypatch.setenv("SWITCHBOARD_METRICS_HOST", "0.0.0.0")
    with pytest.raises(SettingsError, match=r"^SWITCHBOARD_METRICS_KEY: 0\.0\.0\.0 is an address that others reach"):
        load_settings()
    monkeypatch.setenv("SWITCHBOARD_METRICS_KEY", SCRAPE)
    assert load_settings().metrics_port == 9464


ASKED = {"method": "POST", "path": "/graphql"}


def answered(operation: str, client: str, user_id: int, status: int = 200) -> Trail:
    trail = Trail()
    trail.operation, trail.kind, trail.client, trail.user_id = operation, "query", client, user_id
    trail.transport, trail.status, trail.seconds = "graphql", status, 0.01
    return trail


def test_counting_an_answer_like_one_before_takes_three_calls() -> None:
    counts, calls = Counts(), []
    trail = Trail()
    trail.operation, trail.kind, trail.user_id = "Inbox", "query", 7
    cycle = Cycle.__new__(Cycle)
    state = {"services": SimpleNamespace(watchers=[counts]), "trail": trail}
    cycle.scope = {"type": "http", "method": "POST", "path": "/graphql", "state": state}  # type: ignore[typeddict-item]
    cycle.watched_from = 1.0
    cycle._end()

    def called(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and "/app/" in frame.f_code.co_filename:
            calls.append(frame.f_code.co_name)

    sys.setprofile(called)
    try:
        cycle._end()
    finally:
        sys.setprofile(None)
    assert calls == ["_end", "_transport", "__call__"]
    counts.settle()
    assert counts.operations["Inbox", "query", "ok"] == 2


def test_answers_are_kept_so_many_at_most() -> None:
    counts = Counts()
    for _ in range(MOST_KEPT - 1):
        counts(answered("Inbox", "wallboard", 1), ASKED)
    assert (len(counts._kept), counts._alike) == (MOST_KEPT - 1, {})
    counts(answered("Inbox", "wallboard", 1), ASKED)
    assert counts._kept == []
    counts.settle()
    assert counts.clients["wallboard"] == MOST_KEPT


def test_series_have_bounds_whatever_clients_send() -> None:
    counts = Counts()
    for user_id in range(100):
        for number in range(100):
            counts(answered(f"Op{user_id}x{number}", f"client {user_id}x{number}", user_id), ASKED)
    counts.settle()
    assert len(counts.of_operation) == len(counts.clients) == 201
    assert sum(counts.clients.values()) == 10_000
    assert counts.clients[OTHER] == 10_000 - 200


def test_answers_alike_are_counted_as_if_each_came_alone() -> None:
    together, alone = Counts(), Counts()
    chance = random.Random(7)
    for number in range(2_000):
        trail = Trail()
        trail.operation = chance.choice([None, "Inbox", "One", f"Rare{chance.randrange(90)}"])
        trail.kind = chance.choice(["query", "mutation", "subscription", "rest", None])
        trail.code = chance.choice([None, None, "NOT_FOUND"])
        trail.client = chance.choice([None, "wallboard", f"script {chance.randrange(90)}"])
        trail.user_id = chance.choice([None, 1, 2])
        trail.transport = chance.choice(["graphql", "rest", "websocket", "stream", "other"])
        trail.status, trail.seconds = chance.choice([0, 200, 400]), chance.choice([0.0005, 0.25, 20.0])
        together(trail, ASKED)
        alone(trail, ASKED)
        alone.settle()
        alone._alike.clear()
        if number % 500 == 0:
            together.settle()
    together.settle()
    assert together.requests.total() > 1_500
    for name in ("requests", "operations", "clients"):
        assert getattr(together, name) == getattr(alone, name)
    for name in ("of_transport", "of_operation"):
        one, other = (
            {label: (each.buckets, round(each.total, 6)) for label, each in getattr(counts, name).items()}
            for counts in (together, alone)
        )
        assert one == other


def test_answers_of_ever_other_kinds_keep_nothing_without_bounds() -> None:
    counts = Counts()
    for number in range(3_000):
        counts(answered("Inbox", "wallboard", 1, number), ASKED)
        counts(answered("Inbox", "wallboard", 1, number), ASKED)
    counts.settle()
    assert len(counts._alike) <= MOST_ALIKE
    assert counts.operations["Inbox", "query", "ok"] == counts.clients["wallboard"] == 6_000
    assert set(counts.requests.values()) == {2}


def test_name_of_one_user_or_of_a_failure_makes_few_series() -> None:
    names = Names(most=10, each=2)
    assert [names.named(name, 1, new=True) for name in ("a", "b", "c", "a")] == ["a", "b", OTHER, "a"]
    assert names.named("d", 2, new=False) == OTHER
    assert names.named("d", None, new=True) == OTHER
    assert (names.named("d", 2, new=True), names.named("d", 3, new=False)) == ("d", "d")
    assert names.named(None, 1, new=True) == NO_NAME


NAMED = re.compile(r"\b(?:switchboard|process)_[a-z_]+")
_SUFFIX = re.compile(r"_(bucket|sum|count|created|total)$")


async def test_dashboard_and_rules_name_metrics_that_exist(measured: Measured) -> None:
    await measured.ask("query Who { viewer { user { name } } }")
    async with measured.served.socket(KEY) as opened:
        await opened.listen("1", LISTEN)
    await measured.left()
    known = {name for name, _ in await measured.scrape()}
    # Those that have no series while there is nothing to count.
    known |= {"switchboard_connections", "switchboard_destinations", "switchboard_log_position"}
    without_replicas = {"switchboard_replica_used"}
    rules = yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))
    alerts: list[dict[str, Any]] = [rule for group in rules["groups"] for rule in group["rules"]]
    dashboard = json.loads((DOCS / "dashboard.json").read_text(encoding="utf-8"))
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    named = {name for text in [*(rule["expr"] for rule in alerts), *shown] for name in NAMED.findall(text)}
    assert named - known == without_replicas
    ours = {_SUFFIX.sub("", name) for name in known if name.startswith("switchboard_")}
    assert ours - {_SUFFIX.sub("", name) for name in named} == {"switchboard_build_info"}
    for rule in alerts:
        assert rule.keys() == {"alert", "expr", "for", "labels", "annotations"}
        assert rule["annotations"].keys() == {"summary", "description"}
    config = yaml.safe_load((DOCS / "prometheus.yml").read_text(encoding="utf-8"))
    assert config["rule_files"] == ["alerts.yml"]
