"""`bench growth`: what requests cost over a large database, to what they cost over a small one."""

import asyncio
from collections.abc import Sequence
from statistics import median

import psutil
from rich.console import Console
from rich.table import Table

from app.storage.engines import parse_database_url
from benchmarks.cases import server_settings
from benchmarks.databases import copied, copied_file, folder, postgresql, sqlite_url
from benchmarks.growth.comparing import Grown, grown
from benchmarks.processes import GENERATOR_CORES, SERVER_CORES, pin, serving
from benchmarks.resting import put_to_rest
from benchmarks.variants.telling import ratio, verdict

AIM = 1.3
"""How much dearer a request may be in the large database than in the small one."""

_NAME = "growth"


def growth(small: int, large: int, seconds: float, console: Console, *, postgres: bool) -> None:
    """Ask both in turn, and print how much dearer requests are over the large one, and how sure that is."""
    with (
        copied_file(sqlite_url(small, console), _NAME) as less,
        copied_file(sqlite_url(large, console), _NAME) as more,
    ):
        _say(f"SQLite, {small:,} and {large:,}", _measured(less, more, [], seconds), console)
    if postgres:
        pin(GENERATOR_CORES | SERVER_CORES)
        with postgresql(small, console) as (original, _):
            name = parse_database_url(original).database
        with postgresql(large, console) as (original, processes):
            other = parse_database_url(original).set(database=name).render_as_string(hide_password=False)
            with copied(other, _NAME) as less, copied(original, _NAME) as more:
                _say(f"PostgreSQL, {small:,} and {large:,}", _measured(less, more, processes, seconds), console)


def _measured(less: str, more: str, database: Sequence[psutil.Process], seconds: float) -> list[Grown]:
    import uvloop

    for url in (less, more):
        asyncio.run(put_to_rest(url))
    pin(GENERATOR_CORES)
    arguments = ["app", "serve", "--port", "0"]
    with (
        serving(arguments, server_settings(less), folder()) as small,
        serving(arguments, server_settings(more), folder()) as large,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(grown(small, large, database, seconds))


def _say(title: str, found: Sequence[Grown], console: Console) -> None:
    table = Table(title=title)
    for name in ("request", "caller"):
        table.add_column(name)
    for name in (f"{found[0].unit}, small", "large", "large to small", "small to itself", "aim", "turns"):
        table.add_column(name, justify="right")
    table.add_column("")
    for name, caller, _, (small, large, again) in found:
        noise = ratio(again, small)
        dearer = ratio(large, [(one + other) / 2 for one, other in zip(small, again, strict=True)])
        table.add_row(
            name,
            caller,
            *(f"{median(costs) / 2:,.1f}" for costs in (small, large)),  # both times of a turn are added up
            str(dearer),
            str(noise),
            f"{AIM:.2f}",
            f"{len(small):,}",
            verdict(dearer, noise, AIM),
        )
    console.print(table)
