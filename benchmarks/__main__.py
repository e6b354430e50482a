"""Prints what requests cost: `python -m benchmarks --sizes 10k,100k,1m --postgres --seconds 5`."""

import os
import platform
import signal
import sys
from contextlib import nullcontext
from dataclasses import replace
from typing import Annotated

import psutil
from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from benchmarks.cases import cases
from benchmarks.client import BenchmarkError
from benchmarks.databases import alone, folder, postgresql, size_of, sqlite_url
from benchmarks.measuring import Measured, measure_baseline, measure_database
from benchmarks.processes import GENERATOR_CORES, SERVER_CORES, pin

_SIZES = {"1k": 1_000, "10k": 10_000, "100k": 100_000, "1m": 1_000_000}
_ON_POSTGRESQL = "100k"
_HELD = 1.5
"""How much dearer the inbox may be in the largest database than in the smallest."""

app = App(name="bench", help="Measure what requests cost on this machine.", version_flags=[])


@app.default
def bench(
    *,
    sizes: str = "10k,100k,1m",
    postgres: Annotated[bool, Parameter(negative=())] = False,
    seconds: float = 5.0,
    peers: Annotated[bool, Parameter(negative=())] = False,
    turns: int = 7,
) -> None:
    """Measure the four cases on SQLite at each size, and on PostgreSQL at 100k; or what peers need for the same.

    Parameters
    ----------
    sizes
        Interactions on SQLite: 1k, 10k, 100k, 1m, separated by commas.
    postgres
        PostgreSQL too, on a server of its own.
    seconds
        How long each case is measured; with peers, all turns of a case together.
    peers
        Both databases at each size, in turns with servers written by hand and, where npm is, with Mercurius.
    turns
        How often each server has its turn beside its peers.
    """
    counts = _sizes(sizes)
    console = Console(width=max(Console().width, 132))
    if peers:
        from benchmarks.peers.command import peers as compared

        _say_machine(console)
        compared(counts, turns, seconds / turns, console)
        console.print(f"load {os.getloadavg()[0]:.1f} after")
        return
    runs: dict[str, list[Measured]] = {}
    baselines: dict[str, float] = {}
    urls = {size: sqlite_url(_SIZES[size], console) for size in sizes.split(",")}
    pin(GENERATOR_CORES)
    _say_machine(console)
    for size, url in urls.items():
        console.print(f"SQLite, {_SIZES[size]:,} interactions ({(size_of(url) or 0) / 1e6:,.0f} MB) …")
        runs[f"SQLite {size}"] = _with_baseline(measure_database(url, seconds, folder(), None), baselines, seconds)
    if postgres:
        pin(GENERATOR_CORES | SERVER_CORES)
        with postgresql(_SIZES[_ON_POSTGRESQL], console) as (url, processes):
            pin(GENERATOR_CORES)
            console.print(f"PostgreSQL, {_SIZES[_ON_POSTGRESQL]:,} interactions …")
            measured = measure_database(url, seconds, folder(), processes)
        runs[f"PostgreSQL {_ON_POSTGRESQL}"] = _with_baseline(measured, baselines, seconds)
    console.print(_table(runs))
    _say_aims(console, runs)


@app.command
def variants(
    *,
    size: str = "10k",
    postgres: Annotated[bool, Parameter(negative=())] = False,
    seconds: float = 30.0,
) -> None:
    """Measure what metrics, a caller who sees a part, and a thousand destinations add to requests on SQLite.

    Each figure has an interval, and the plain variant beside itself says what the noise is. A database takes seven
    times the seconds, and a minute more.

    Parameters
    ----------
    size
        Interactions: 1k, 10k, 100k or 1m.
    postgres
        PostgreSQL too, on a server of its own.
    seconds
        How long each read is asked for; updates take twice as long.
    """
    from benchmarks.variants.command import variants as measured

    (count,) = _sizes(size)
    console = Console(width=max(Console().width, 132))
    _say_machine(console)
    measured(count, seconds, console, postgres=postgres)
    console.print(f"load {os.getloadavg()[0]:.1f} after")


@app.command
def growth(
    *,
    sizes: str = "10k,1m",
    postgres: Annotated[bool, Parameter(negative=())] = False,
    seconds: float = 10.0,
) -> None:
    """Measure how much dearer requests are over a large database than over a small one, as an admin and as a member.

    A server over each is asked in turn. Each figure has an interval, and the small one beside itself says what the
    noise is. A database takes seven times the seconds, and a minute more.

    Parameters
    ----------
    sizes
        Interactions, the smaller number first: two of 1k, 10k, 100k and 1m, separated by a comma.
    postgres
        PostgreSQL too, on a server of its own.
    seconds
        How long each request is asked for.
    """
    from benchmarks.growth.command import growth as measured

    if len(found := _sizes(sizes)) != 2:
        raise BenchmarkError(f"Two sizes are compared, and not {len(found)}: {sizes}.")
    small, large = found
    console = Console(width=max(Console().width, 150))
    _say_machine(console)
    measured(small, large, seconds, console, postgres=postgres)
    console.print(f"load {os.getloadavg()[0]:.1f} after")


@app.command
def live(
    *,
    postgres: Annotated[bool, Parameter(negative=())] = False,
    listeners: int = 1_000,
    filters: int = 5_000,
    rate: float = 20.0,
    seconds: float = 10.0,
) -> None:
    """Measure subscriptions over 10,000 interactions on SQLite: deliveries to many listeners, and the log's writing.

    Parameters
    ----------
    postgres
        PostgreSQL too, on a server of its own.
    listeners
        How many listen to everything.
    filters
        How many listen to something of their own each.
    rate
        Changes in a second.
    seconds
        How long each load is measured.
    """
    from benchmarks.live.command import live as measured

    console = Console(width=max(Console().width, 180))
    _say_machine(console)
    measured(postgres=postgres, listeners=listeners, filters=filters, rate=rate, seconds=seconds, console=console)
    console.print(f"load {os.getloadavg()[0]:.1f} after")


@app.command
def reports(*, sizes: str = "100k", turns: int = 15) -> None:
    """Time reports of a year over the marks of generated interactions, on both databases, and prove what they say.

    Parameters
    ----------
    sizes
        Interactions: 1k, 10k, 100k, 1m, separated by commas. They are generated on SQLite, with their messages.
    turns
        How often each report is asked for.
    """
    from benchmarks.reports.command import reports as timed

    wanted = _sizes(sizes)
    console = Console(width=max(Console().width, 132))
    _say_machine(console)
    timed(wanted, turns, console)
    console.print(f"load {os.getloadavg()[0]:.1f} after")


@app.command
def backfill(
    *,
    interactions: int = 100_000,
    requests: float = 400.0,
    minutes: float = 180.0,
    postgres: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Attach a server to another one that has so many interactions, kill it at a third, and time until all are here.

    Meanwhile customers write there, and the inbox is looked at here.

    Parameters
    ----------
    interactions
        Conversations, chats and agent sessions of the other server together, each with ten messages or so.
    requests
        How many requests a second each of the three connections may send.
    minutes
        How long it may take; after that, what has come in by then is said.
    postgres
        Attach a server on PostgreSQL in place of one on SQLite.
    """
    from benchmarks.backfill.command import backfill as timed

    console = Console(width=max(Console().width, 132))
    _say_machine(console)
    timed(interactions, requests, minutes, console, postgres=postgres)
    console.print(f"load {os.getloadavg()[0]:.1f} after")


def _sizes(named: str) -> list[int]:
    """The numbers of interactions of the sizes. Raises BenchmarkError."""
    wanted = named.split(",")
    if unknown := set(wanted) - set(_SIZES):
        raise BenchmarkError(f"There is no size {min(unknown)}; there are {', '.join(_SIZES)}.")
    return [_SIZES[size] for size in wanted]


def _with_baseline(measured: list[Measured], known: dict[str, float], seconds: float) -> list[Measured]:
    """The same with the cost of a constant answer, measured once for each case."""
    plain = {case.name: case for case in cases([("ses_1", "-")] * 32)}
    for one in measured:
        if one.case not in known:
            known[one.case] = measure_baseline(one.bytes, plain[one.case], min(seconds, 3.0), folder())
    return [replace(one, baseline_cpu=known[one.case]) for one in measured]


def _table(runs: dict[str, list[Measured]]) -> Table:
    table = Table()
    for name in ("database", "case"):
        table.add_column(name)
    for name in ("req/s", "p50 ms", "p99 ms", "CPU us", "database us", "bytes", "baseline us", "ratio"):
        table.add_column(name, justify="right")
    for run, measured in runs.items():
        for one in measured:
            table.add_row(
                run,
                one.case,
                f"{one.requests_per_second:,.0f}",
                f"{one.median:.2f}",
                f"{one.slowest_percent:.2f}",
                f"{one.cpu:,.0f}",
                "" if one.database_cpu is None else f"{one.database_cpu:,.0f}",
                f"{one.bytes:,}",
                f"{one.baseline_cpu:,.0f}",
                f"{one.cpu / one.baseline_cpu:.1f}",
            )
        table.add_section()
    return table


def _say_machine(console: Console) -> None:
    console.print(
        f"Python {platform.python_version()}, {_processor()}, {psutil.cpu_count()} cores, "
        f"{psutil.virtual_memory().total / 2**30:.0f} GiB; load {os.getloadavg()[0]:.1f} before; "
        f"generator on core {min(GENERATOR_CORES)}, server on core {min(SERVER_CORES)}"
    )


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            return next(line.split(":", 1)[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.machine()


def _say_aims(console: Console, runs: dict[str, list[Measured]]) -> None:
    on_sqlite = {run: measured for run, measured in runs.items() if run.startswith("SQLite")}
    for run, measured in on_sqlite.items():
        for one in measured:
            verdict = "met" if one.cpu < one.aim else "missed"
            console.print(f"{run}: {one.case}: {one.cpu:,.0f} us of {one.aim:,} us: {verdict}")
    inboxes = [one.cpu for measured in on_sqlite.values() for one in measured if one.case.startswith("inbox")]
    if len(inboxes) > 1:
        growth = inboxes[-1] / inboxes[0]
        console.print(f"inbox, largest to smallest: {growth:.2f} of {_HELD}: {'met' if growth < _HELD else 'missed'}")


def main() -> None:
    """Run; what went wrong for a known reason is one line."""
    # So that the servers end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    asks = {"--help", "-h"}.isdisjoint(sys.argv)
    try:
        with alone(Console()) if asks else nullcontext():
            app()
    except BenchmarkError as error:
        sys.exit(f"bench: {error}")


if __name__ == "__main__":
    main()
