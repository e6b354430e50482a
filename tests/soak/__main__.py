"""Lets writers, listeners and rude clients loose on real servers: `python -m tests.soak gap-free kill --seconds 20`."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from tests.soak import deadlines, leaks, traffic
from tests.soak.processes import fresh_database, idle_transaction
from tests.soak.traffic import Outcome

_MOST_FAULTS = 10


@dataclass(frozen=True)
class Amounts:
    """How much of everything."""

    seconds: float
    snoozes: int
    connections: int


Run = Callable[[str, Path, Amounts], Coroutine[Any, Any, Outcome]]
Scenario = tuple[str, str, Run]
"""What it shows, the database that it runs on, and itself."""


def _traffic(servers: int, *, kill: bool = False) -> Run:
    return lambda url, folder, of: traffic.run(url, folder, servers=servers, seconds=of.seconds, kill=kill)


def _deadlines(*, kill: bool) -> Run:
    return lambda url, folder, of: deadlines.run(url, folder, count=of.snoozes, kill=kill)


def _leaks(url: str, folder: Path, of: Amounts) -> Coroutine[Any, Any, Outcome]:
    return leaks.run(url, folder, connections=of.connections)


async def _beside_an_idle_transaction(url: str, folder: Path, of: Amounts) -> Outcome:
    async with idle_transaction(url):
        return await traffic.run(url, folder, servers=1, seconds=of.seconds)


SCENARIOS: Mapping[str, Scenario] = {
    "gap-free-sqlite": ("every event once and in order, whoever disconnects", "sqlite", _traffic(1)),
    "gap-free-sqlite-two": ("the same on two servers over one file", "sqlite", _traffic(2)),
    "gap-free-postgresql": ("the same on PostgreSQL", "postgresql", _traffic(1)),
    "gap-free-postgresql-two": ("the same on two servers over one database", "postgresql", _traffic(2)),
    "gap-free-postgresql-idle": (
        "the same beside a transaction that stays open elsewhere on that PostgreSQL",
        "postgresql",
        _beside_an_idle_transaction,
    ),
    "kill-sqlite": ("the same when the server is killed and comes back", "sqlite", _traffic(1, kill=True)),
    "kill-postgresql": ("the same when one of two servers is killed", "postgresql", _traffic(2, kill=True)),
    "deadlines-sqlite": (
        "snoozes that end in one second, three servers: each told once",
        "sqlite",
        _deadlines(kill=False),
    ),
    "deadlines-postgresql": ("the same on PostgreSQL", "postgresql", _deadlines(kill=False)),
    "deadlines-kill-sqlite": ("the same when a server is killed as they end", "sqlite", _deadlines(kill=True)),
    "deadlines-kill-postgresql": ("the same on PostgreSQL", "postgresql", _deadlines(kill=True)),
    "leaks": ("rude clients by the thousand leave no file, task or memory behind", "sqlite", _leaks),
}

app = App(name="soak", help="Prove on this machine that no event is lost, and nothing leaks.", version_flags=[])


@app.default
def soak(
    *scenarios: str,
    seconds: float = 20.0,
    snoozes: int = 1_000,
    connections: int = 10_000,
    list_: Annotated[bool, Parameter(name="--list", negative=())] = False,
) -> int:
    """Run the named scenarios, or all, one after the other; the status is 0 when all passed.

    Everything is started for the run and ended with it: servers at free ports, and a PostgreSQL of its own.

    Parameters
    ----------
    scenarios
        Their names, or the beginnings of names: `gap-free`, `kill`, `deadlines`, `leaks`.
    seconds
        How long the writers of gap-free and kill write.
    snoozes
        How many end in the same second.
    connections
        How many clients of leaks come and go.
    list_
        Say what there is, and run nothing.
    """
    if list_:
        _show()
        return 0
    chosen = [name for name in SCENARIOS if not scenarios or any(_is_meant(name, by) for by in scenarios)]
    for by in scenarios:
        if not any(_is_meant(name, by) for name in SCENARIOS):
            sys.exit(f"soak: There is no scenario {by}; --list shows them.")
    of = Amounts(seconds, snoozes, connections)
    passed = [_run(name, of) for name in chosen]
    print(f"{sum(passed)} of {len(passed)} passed")  # noqa: T201 - what it is for
    return 0 if all(passed) else 1


def _is_meant(name: str, by: str) -> bool:
    return name == by or (by not in SCENARIOS and name.startswith(by))


def _run(name: str, of: Amounts) -> bool:
    _, backend, scenario = SCENARIOS[name]
    started = time.monotonic()
    with fresh_database(backend) as (url, folder):
        outcome = asyncio.run(scenario(url, folder, of))
    verdict = "FAIL" if outcome.faults else "PASS"
    lines = [f"{verdict} {name}: {outcome.summary} ({time.monotonic() - started:.0f} s)"]
    lines += [f"     {fault}" for fault in outcome.faults[:_MOST_FAULTS]]
    if (more := len(outcome.faults) - _MOST_FAULTS) > 0:
        lines.append(f"     and {more} more")
    print("\n".join(lines), flush=True)  # noqa: T201 - what it is for
    return not outcome.faults


def _show() -> None:
    table = Table("name", "what it shows", box=None)
    for name, (what, _, _) in SCENARIOS.items():
        table.add_row(name, what)
    Console().print(table)


if __name__ == "__main__":
    # So that the servers end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(app())
