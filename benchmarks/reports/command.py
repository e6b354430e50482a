"""`bench reports`: what a year's report takes, and that it says what a slow reference says."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import psutil
from rich.console import Console
from rich.table import Table

from app.core.clock import rfc3339
from benchmarks.bulk.drafts import KINDS
from benchmarks.cases import KEY, request, server_settings
from benchmarks.client import BenchmarkError, KeptAlive, ask
from benchmarks.databases import folder, kept_on_postgresql, kept_on_sqlite, sqlite_url, with_children
from benchmarks.processes import GENERATOR_CORES, SERVER_CORES, Server, cpu_seconds, pin, serving
from benchmarks.reports.filling import fill
from benchmarks.reports.proof import SAMPLES, Facts, facts_of, prove
from tests.reports.asking import REPORT

AIM = 100
"""Milliseconds that a year's report may take."""

ZONE = "Europe/Oslo"
_YEAR, _DETAIL = timedelta(days=365), timedelta(days=100)
_GROUPINGS: Sequence[tuple[str | None, timedelta]] = (
    (None, _YEAR),
    ("KIND", _YEAR),
    ("TEAM", _YEAR),
    ("USER", _YEAR),
    ("MONTH", _YEAR),
    ("DAY", _DETAIL),
    ("HOUR_OF_DAY", _DETAIL),
)
_CALLERS: Mapping[str, Sequence[str]] = {
    "sees all": [f"{kind.upper()}_READ" for kind in KINDS],
    "sees a team": [f"{kind.upper()}_READ_TEAM" for kind in KINDS],
}
_USER = "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } errors { message } } }"
_KEY = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret errors { message } } }"
_TEAM = "mutation($input: UpdateTeamInput!) { updateTeam(input: $input) { errors { message } } }"
_WARM_UP = 2


@dataclass(frozen=True, slots=True)
class Timed:
    """What one report took: milliseconds, of CPU of the server and of the database for one of them, and its bytes."""

    asked: str
    days: int
    caller: str
    middle: float
    slowest: float
    cpu: float
    database_cpu: float | None
    bytes: int


def reports(sizes: Sequence[int], turns: int, console: Console) -> None:
    """Measure both databases at each size, prove and print. Raises BenchmarkError where a report is wrong."""
    table = _table()
    for size in sizes:
        source = Path(sqlite_url(size, console).removeprefix("sqlite:///"))
        name = f"reports_{size}"
        with ExitStack() as stack:
            own = kept_on_sqlite(name, lambda url: fill(url, source, console))  # noqa: B023
            address, processes = stack.enter_context(
                kept_on_postgresql(name, lambda url: fill(url, source, console))  # noqa: B023
            )
            until = datetime.now(UTC)
            facts = facts_of(source, until - _YEAR - timedelta(hours=1))
            for database, url, beside in (("SQLite", own, None), ("PostgreSQL", address, processes)):
                console.print(f"{database}, {size:,} interactions …")
                for one in _measure(url, beside, facts, until, turns):
                    table.add_row(f"{database}, {size:,}", *_row(one))
                table.add_section()
    console.print(table)


def _measure(url: str, database: list[psutil.Process] | None, facts: Facts, until: datetime, turns: int) -> list[Timed]:
    pin(GENERATOR_CORES)
    try:
        with serving(["app", "serve", "--port", "0"], server_settings(url), folder()) as server:
            return asyncio.run(_ask_all(server, database, facts, until, turns))
    finally:
        pin(GENERATOR_CORES | SERVER_CORES)


async def _ask_all(
    server: Server, database: list[psutil.Process] | None, facts: Facts, until: datetime, turns: int
) -> list[Timed]:
    connection = await KeptAlive.connect(server.port)
    try:
        keys = {"administrator": KEY, **{name: await _caller(connection, name) for name in _CALLERS}}
        found = []
        for by, days in _GROUPINGS:
            for caller, key in keys.items():
                asked = request(REPORT, _variables(by, until - days, until), key)
                found.append(await _timed(connection, server, database, asked, turns, (by, days, caller)))
        for sample, told in zip(SAMPLES, facts, strict=True):
            for by, days in _GROUPINGS:
                variables = _variables(by, until - days, until, sample.filter)
                # On a connection of its own: proving takes longer than one is kept for that says nothing.
                said = orjson.loads(await ask(server.port, request(REPORT, variables)))
                prove(said["data"]["report"], told, (until - days, until), by, ZONE)
        return found
    finally:
        await connection.close()


async def _timed(
    connection: KeptAlive,
    server: Server,
    database: list[psutil.Process] | None,
    asked: bytes,
    turns: int,
    what: tuple[str | None, timedelta, str],
) -> Timed:
    for _ in range(_WARM_UP):
        await connection.ask(asked)
    beside = [] if database is None else with_children(database)
    used, used_beside = server.cpu_seconds(), cpu_seconds(beside)
    taken, body = [], b""
    for _ in range(turns):
        started = time.perf_counter()
        body = await connection.ask(asked)
        taken.append(time.perf_counter() - started)
    if b'"errors":[{' in body:
        raise BenchmarkError(f"The server answered: {body[:600]!r}")
    each = 1_000 / turns
    by, days, caller = what
    return Timed(
        asked="total" if by is None else by,
        days=days.days,
        caller=caller,
        middle=median(taken) * 1_000,
        slowest=max(taken) * 1_000,
        cpu=(server.cpu_seconds() - used) * each,
        database_cpu=None if database is None else (cpu_seconds(beside) - used_beside) * each,
        bytes=len(body),
    )


async def _caller(connection: KeptAlive, name: str) -> str:
    """The key of a new user who sees what its name says."""
    login = f"reader-{time.time_ns()}"
    new = {"login": login, "name": name, "permissions": ["REPORTS_READ", *_CALLERS[name]]}
    made = (await _data(connection, request(_USER, {"input": new})))["createUser"]
    team = {"id": "tea_1", "memberIds": [made["user"]["id"]]}
    await _data(connection, request(_TEAM, {"input": team}))
    key = {"userId": made["user"]["id"], "name": name}
    return str((await _data(connection, request(_KEY, {"input": key})))["createApiKey"]["secret"])


async def _data(connection: KeptAlive, asked: bytes) -> Any:
    answer = orjson.loads(await connection.ask(asked))
    if answer.get("errors"):
        raise BenchmarkError(f"The server answered: {answer['errors']}")
    return answer["data"]


def _variables(
    by: str | None, since: datetime, until: datetime, filter_: Mapping[str, object] | None = None
) -> dict[str, object]:
    return {"since": rfc3339(since), "until": rfc3339(until), "by": by, "zone": ZONE, "filter": filter_}


def _table() -> Table:
    table = Table(caption=f"one at a time; {AIM} ms is the aim; Europe/Oslo; all are as a slow reference says")
    for name in ("database", "by", "caller"):
        table.add_column(name, no_wrap=True)
    for name in ("days", "p50 ms", "max ms", "CPU ms", "db ms", "bytes", ""):
        table.add_column(name, justify="right")
    return table


def _row(one: Timed) -> Sequence[str]:
    return (
        one.asked,
        one.caller,
        str(one.days),
        f"{one.middle:.1f}",
        f"{one.slowest:.1f}",
        f"{one.cpu:.1f}",
        "" if one.database_cpu is None else f"{one.database_cpu:.1f}",
        f"{one.bytes:,}",
        "met" if one.middle < AIM else "missed",
    )
