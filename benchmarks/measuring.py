"""One measured case: how often, how fast, and at what cost to the server."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import orjson
import psutil

from benchmarks.cases import ROWS, Case, cases, next_page, pages_of_sessions, server_settings
from benchmarks.client import BenchmarkError, Tally, ask, drive
from benchmarks.databases import with_children
from benchmarks.processes import Server, cpu_seconds, serving

_WARM_UP = 1.0


@dataclass(frozen=True, slots=True)
class Measured:
    """What a case came to; latencies in milliseconds, CPU in microseconds for each request."""

    case: str
    aim: int
    requests_per_second: float
    median: float
    slowest_percent: float
    cpu: float
    database_cpu: float | None
    bytes: int
    baseline_cpu: float = 0.0


def measure_database(url: str, seconds: float, folder: Path, database: list[psutil.Process] | None) -> list[Measured]:
    """All cases on the real server over this database. `database` are PostgreSQL's main processes."""
    with serving(["app", "serve", "--port", "0"], server_settings(url), folder) as server:
        sessions = asyncio.run(sessions_of(server.port))
        return [_measure(server, case, seconds, database) for case in cases(sessions)]


def measure_baseline(size: int, case: Case, seconds: float, folder: Path) -> float:
    """Microseconds of CPU that uvicorn needs for a constant answer of the size of the case's."""
    with serving(["benchmarks.baseline", str(size)], {}, folder) as server:
        return _measure(server, case, seconds, None).cpu


def _measure(server: Server, case: Case, seconds: float, database: list[psutil.Process] | None) -> Measured:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(drive(server.port, case.connections, _WARM_UP))
        helpers = [] if database is None else with_children(database)
        before, helped_before = server.cpu_seconds(), cpu_seconds(helpers)
        tally: Tally = runner.run(drive(server.port, case.connections, seconds))
        used, helped = server.cpu_seconds() - before, cpu_seconds(helpers) - helped_before
    count = len(tally.latencies)
    ordered = sorted(tally.latencies)
    return Measured(
        case=case.name,
        aim=case.aim,
        requests_per_second=count / seconds,
        median=ordered[count // 2] * 1_000,
        slowest_percent=ordered[int(count * 0.99)] * 1_000,
        cpu=used / count * 1_000_000,
        database_cpu=None if database is None else helped / count * 1_000_000,
        bytes=tally.body_bytes // count,
    )


async def sessions_of(port: int) -> list[tuple[str, str]]:
    """Sessions to ask for and to change, as (id, key)."""
    found: list[tuple[str, str]] = []
    (page,) = pages_of_sessions()
    while len(found) < ROWS:
        answer = orjson.loads(await ask(port, page))
        if "errors" in answer:
            raise BenchmarkError(f"The server answered: {answer['errors']}")
        connection = answer["data"]["interactions"]
        if not connection["nodes"]:
            break
        found += [(node["id"], node["sessionKey"]) for node in connection["nodes"]]
        page = next_page(connection["pageInfo"]["endCursor"])
    return found[:ROWS]
