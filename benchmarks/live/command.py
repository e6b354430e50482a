"""`bench live`: the loads in one run with the bare server, so that what they cost is a ratio."""

import asyncio
import resource
from collections.abc import Callable, Sequence

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.cases import server_settings
from benchmarks.databases import folder, postgresql, sqlite_url
from benchmarks.live.loads import Watched, equal, filtered, watched
from benchmarks.live.log_rate import Rate, on_postgresql, on_sqlite
from benchmarks.live.measuring import IN_FLIGHT, Load, Measured, measure
from benchmarks.processes import GENERATOR_CORES, SERVER_CORES, pin, serving

_INTERACTIONS = 10_000
_BARE = "bare uvicorn"


def live(*, postgres: bool, listeners: int, filters: int, rate: float, seconds: float, console: Console) -> None:
    """Measure and print."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    url = sqlite_url(_INTERACTIONS, console)
    pin(GENERATOR_CORES)
    runs: dict[str, list[Measured]] = {}
    rates: dict[str, list[Rate]] = {}
    runs["SQLite"] = _on(url, None, listeners, filters, rate, seconds)
    rates["SQLite"] = on_sqlite(folder(), seconds / 2)
    if postgres:
        pin(GENERATOR_CORES | SERVER_CORES)
        with postgresql(_INTERACTIONS, console) as (address, processes):
            pin(GENERATOR_CORES)
            runs["PostgreSQL"] = _on(address, processes, listeners, filters, rate, seconds)
            rates["PostgreSQL"] = asyncio.run(on_postgresql(address, seconds / 2))
    size = runs["SQLite"][0].bytes
    runs = {_BARE: _bare(size, listeners, rate, seconds), **runs}
    console.print(_deliveries(runs))
    console.print(_log(rates))


def _on(
    url: str, database: list[psutil.Process] | None, listeners: int, filters: int, rate: float, seconds: float
) -> list[Measured]:
    # All listeners have one key, and its user may usually have fewer.
    most = str(max(listeners, filters))
    settings = server_settings(url) | {"SWITCHBOARD_MAX_SOCKETS": most, "SWITCHBOARD_MAX_SUBSCRIPTIONS": most}
    makes: list[Callable[[Watched], Load]] = [
        *_equal(listeners, rate),
        lambda over: filtered(f"{filters:,} filters, {rate:g} changes/s", filters, rate, over),
    ]
    found = []
    for make in makes:
        # A server for each: what one gave back of its memory, the next listeners would be given.
        with serving(["app", "serve", "--port", "0"], settings, folder()) as server:
            over = asyncio.run(watched(server.port, max(filters // 4, 400)))
            found.append(measure(server, make(over), seconds, database))
    return found


def _bare(size: int, listeners: int, rate: float, seconds: float) -> list[Measured]:
    found = []
    for make in _equal(listeners, rate):
        with serving(["benchmarks.live.bare", str(size)], {}, folder()) as server:
            found.append(measure(server, make([("ses_1", "cus_1")]), seconds))
    return found


def _equal(listeners: int, rate: float) -> list[Callable[[Watched], Load]]:
    return [
        lambda over: equal(f"{listeners:,} equal, {rate:g} changes/s", listeners, rate, over),
        lambda over: equal(f"{listeners:,} equal, {IN_FLIGHT} in flight", listeners, None, over),
    ]


def _deliveries(runs: dict[str, list[Measured]]) -> Table:
    bare = runs[_BARE]
    columns: dict[str, Callable[[Measured, int], str]] = {
        "changes/s": lambda one, _: f"{one.changes_per_second:,.0f}",
        "sent/s": lambda one, _: f"{one.deliveries_per_second:,.0f}",
        "CPU us": lambda one, _: f"{one.cpu_per_delivery:,.1f}",
        "ratio": lambda one, place: "" if place >= len(bare) else _ratio(one, bare[place]),
        "us/change": lambda one, _: f"{one.cpu_per_change:,.0f}",
        "db us/change": lambda one, _: _optional(one.database_cpu_per_change),
        "p50 ms": lambda one, _: f"{one.after_answer[0]:,.1f}",
        "p99 ms": lambda one, _: f"{one.after_answer[1]:,.1f}",
        "max ms": lambda one, _: f"{one.after_answer[2]:,.1f}",
        "p50 all": lambda one, _: f"{one.after_request[0]:,.1f}",
        "p99 all": lambda one, _: f"{one.after_request[1]:,.1f}",
        "kB each": lambda one, _: f"{one.memory:,.1f}",
        "bytes": lambda one, _: f"{one.bytes:,}",
    }
    return _table(
        ["server", "load"],
        list(columns),
        {
            run: [[one.load, *(make(one, place) for make in columns.values())] for place, one in enumerate(measured)]
            for run, measured in runs.items()
        },
        "sent are deliveries; CPU us and its ratio to the bare server's are of one of them; p50, p99 and max from a "
        "change's answer to its deliveries, all from its request",
    )


def _log(rates: dict[str, list[Rate]]) -> Table:
    rows = {
        run: [
            [one.how, f"{one.per_second:,.0f}", f"{one.per_second / _insert_before(found, place):.2f}"]
            for place, one in enumerate(found)
        ]
        for run, found in rates.items()
    }
    return _table(["database", "written by"], ["events/s", "ratio"], rows, "the log; ratios to the insert above")


def _insert_before(rates: Sequence[Rate], place: int) -> float:
    return next(one.per_second for one in reversed(rates[: place + 1]) if one.is_bare)


def _table(names: list[str], numbers: list[str], runs: dict[str, list[list[str]]], caption: str) -> Table:
    table = Table(caption=caption)
    for name in names:
        table.add_column(name, no_wrap=True)
    for name in numbers:
        table.add_column(name, justify="right")
    for run, rows in runs.items():
        for row in rows:
            table.add_row(run, *row)
        table.add_section()
    return table


def _ratio(one: Measured, bare: Measured) -> str:
    return f"{one.cpu_per_delivery / bare.cpu_per_delivery:.2f}"


def _optional(number: float | None) -> str:
    return "" if number is None else f"{number:,.0f}"
