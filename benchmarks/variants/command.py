"""`bench variants`: what metrics, a narrowed caller and destinations add to requests."""

import asyncio
from collections.abc import Sequence
from statistics import median

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.cases import server_settings
from benchmarks.databases import copied, copied_file, folder, postgresql, sqlite_url
from benchmarks.processes import GENERATOR_CORES, SERVER_CORES, pin, serving
from benchmarks.resting import put_to_rest
from benchmarks.variants.comparing import Compared, compared
from benchmarks.variants.destinations import settings_for_destinations
from benchmarks.variants.telling import ratio, verdict

_SWITCHED = {
    # Both are switched on and off while the server runs.
    "SWITCHBOARD_METRICS_PORT": "0",
    # Connections wait while others have their turn.
    "SWITCHBOARD_KEEP_ALIVE": "120",
}


def variants(count: int, seconds: float, console: Console, *, postgres: bool) -> None:
    """Ask in turn, and print what each variant costs to the plain one, how sure that is, and whether aims are met.

    Raises BenchmarkError when two variants give different answers."""
    with copied_file(sqlite_url(count, console), "variants") as url:
        asyncio.run(put_to_rest(url))
        pin(GENERATOR_CORES)
        _say("SQLite", _measured(url, [], seconds), console)
    if postgres:
        pin(GENERATOR_CORES | SERVER_CORES)
        with postgresql(count, console) as (original, processes), copied(original, "variants") as url:
            asyncio.run(put_to_rest(url))
            pin(GENERATOR_CORES)
            _say("PostgreSQL", _measured(url, processes, seconds), console)


def _measured(url: str, database: Sequence[psutil.Process], seconds: float) -> list[Compared]:
    import uvloop

    settings = {**server_settings(url), **settings_for_destinations(), **_SWITCHED}
    with (
        serving(["benchmarks.variants.served"], settings, folder()) as server,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(compared(server, database, seconds))


def _say(title: str, found: Sequence[Compared], console: Console) -> None:
    table = Table(title=title)
    for name in ("request", "variant"):
        table.add_column(name)
    for name in (found[0].unit, "to the plain one", "aim", "turns"):
        table.add_column(name, justify="right")
    table.add_column("")
    for one in found:
        first, second = one.costs[:2]
        noise = ratio(second, first)
        both = [(one + other) / 2 for one, other in zip(first, second, strict=True)]
        for place, (variant, costs) in enumerate(zip(one.variants, one.costs, strict=True)):
            dearer = noise if place == 1 else ratio(costs, both)
            aim = variant.aim
            table.add_row(
                one.name if place == 0 else "",
                variant.name,
                f"{median(costs) / 2:,.1f}",  # both times of a turn are added up
                "" if place == 0 else str(dearer),
                "" if aim is None else f"{aim:.2f}",
                f"{len(costs):,}",
                "" if aim is None else verdict(dearer, noise, aim),
            )
        table.add_section()
    console.print(table)
