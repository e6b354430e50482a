"""Lets writers, listeners and rude clients loose on real servers: `python -m tests.soak gap-free kill --seconds 20`."""

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter
from rich.console import Console
from rich.table import Table

from tests.soak import deadlines, destinations, leaks, page, people, traffic, unclaimed
from tests.soak.connections import scenario as connections
from tests.soak.hostile import refusals
from tests.soak.hostile import scenario as hostile
from tests.soak.hostile.attacks import ATTACKS, described
from tests.soak.hostile.databases import loaded_database
from tests.soak.hostile.fuzz import scenario as fuzz
from tests.soak.hostile.proofs import PROOFS
from tests.soak.processes import fresh_database, idle_transaction
from tests.soak.traffic import Outcome

_MOST_FAULTS = 10
_TRAFFIC_SECONDS = 20.0
_RESTARTS_SECONDS = 60.0
_CONNECTIONS_SECONDS = 60.0
_ATTACK_SECONDS = 6.0
_REFUSED_SECONDS = 30.0
_SIZES = {"small": 3_000, "100k": 100_000}


@dataclass(frozen=True)
class Amounts:
    """How much of everything."""

    seconds: float | None
    snoozes: int
    connections: int
    interactions: int
    attacks: tuple[str, ...]
    requests: int
    rounds: int
    seed: int

    def lasting(self, seconds: float) -> float:
        """The seconds that were asked for, or else so many."""
        return seconds if self.seconds is None else self.seconds


Run = Callable[[str, Path, Amounts], Coroutine[Any, Any, Outcome]]


@dataclass(frozen=True)
class Scenario:
    """What it shows, the database that it runs on, and itself. `loaded` asks for a database with bulk data."""

    shows: str
    backend: str
    run: Run
    loaded: bool = False
    needs: str | None = None
    """What this machine lacks for it."""


def _traffic(servers: int, *, kill: bool = False) -> Run:
    return lambda url, folder, of: traffic.run(
        url, folder, servers=servers, seconds=of.lasting(_TRAFFIC_SECONDS), kill=kill
    )


def _restarts(url: str, folder: Path, of: Amounts) -> Coroutine[Any, Any, Outcome]:
    return traffic.run(url, folder, servers=3, seconds=of.lasting(_RESTARTS_SECONDS), rounds=3)


def _deadlines(*, kill: bool) -> Run:
    return lambda url, folder, of: deadlines.run(url, folder, count=of.snoozes, kill=kill)


def _destinations(url: str, folder: Path, of: Amounts) -> Coroutine[Any, Any, Outcome]:
    return destinations.run(url, folder, seconds=of.lasting(_TRAFFIC_SECONDS))


def _people(url: str, folder: Path, of: Amounts) -> Coroutine[Any, Any, Outcome]:
    return people.run(url, folder, seconds=of.lasting(_TRAFFIC_SECONDS))


def _unclaimed(url: str, folder: Path, _of: Amounts) -> Coroutine[Any, Any, Outcome]:
    return unclaimed.run(url, folder)


def _connections(attached: int) -> Run:
    return lambda url, folder, of: connections.run(
        url, folder, seconds=of.lasting(_CONNECTIONS_SECONDS), seed=of.seed, attached=attached
    )


def _leaks(url: str, folder: Path, of: Amounts) -> Coroutine[Any, Any, Outcome]:
    return leaks.run(url, folder, connections=of.connections)


def _page(url: str, folder: Path, of: Amounts) -> Coroutine[Any, Any, Outcome]:
    return page.run(url, folder, rounds=of.rounds)


def _hostile(url: str, folder: Path, of: Amounts) -> Coroutine[Any, Any, Outcome]:
    seconds = of.lasting(_ATTACK_SECONDS)
    return hostile.run(url, folder, seconds=seconds, messages=of.interactions, only=of.attacks)


def _refusals(url: str, folder: Path, of: Amounts) -> Coroutine[Any, Any, Outcome]:
    return refusals.run(url, folder, seconds=of.lasting(_REFUSED_SECONDS))


def _fuzz(url: str, folder: Path, of: Amounts) -> Coroutine[Any, Any, Outcome]:
    return fuzz.run(url, folder, requests=of.requests, seed=of.seed, seconds=of.seconds)


async def _beside_an_idle_transaction(url: str, folder: Path, of: Amounts) -> Outcome:
    async with idle_transaction(url):
        return await traffic.run(url, folder, servers=1, seconds=of.lasting(_TRAFFIC_SECONDS))


SCENARIOS: Mapping[str, Scenario] = {
    "gap-free-sqlite": Scenario("every event once and in order, whoever disconnects", "sqlite", _traffic(1)),
    "gap-free-sqlite-two": Scenario("the same on two servers over one file", "sqlite", _traffic(2)),
    "gap-free-postgresql": Scenario("the same on PostgreSQL", "postgresql", _traffic(1)),
    "gap-free-postgresql-two": Scenario("the same on two servers over one database", "postgresql", _traffic(2)),
    "gap-free-postgresql-idle": Scenario(
        "the same beside a transaction that stays open elsewhere on that PostgreSQL",
        "postgresql",
        _beside_an_idle_transaction,
    ),
    "kill-sqlite": Scenario("the same when the server is killed and comes back", "sqlite", _traffic(1, kill=True)),
    "kill-postgresql": Scenario("the same when one of two servers is killed", "postgresql", _traffic(2, kill=True)),
    "restarts": Scenario(
        "the same over three rolling restarts of three servers on PostgreSQL", "postgresql", _restarts
    ),
    "deadlines-sqlite": Scenario(
        "snoozes that end in one second, three servers: each told once",
        "sqlite",
        _deadlines(kill=False),
    ),
    "deadlines-postgresql": Scenario("the same on PostgreSQL", "postgresql", _deadlines(kill=False)),
    "deadlines-kill-sqlite": Scenario("the same when a server is killed as they end", "sqlite", _deadlines(kill=True)),
    "deadlines-kill-postgresql": Scenario("the same on PostgreSQL", "postgresql", _deadlines(kill=True)),
    "destinations-sqlite": Scenario(
        "webhooks to receivers that fail, stall and die, while a server is killed: each event, in order; and a replay",
        "sqlite",
        _destinations,
    ),
    "destinations-postgresql": Scenario("the same on PostgreSQL", "postgresql", _destinations),
    "destinations-people-sqlite": Scenario(
        "alerts to Slack, Teams, PagerDuty, mail and browsers that fail, stall, ask for time and die: each step once",
        "sqlite",
        _people,
    ),
    "destinations-people-postgresql": Scenario("the same on PostgreSQL", "postgresql", _people),
    "destinations-unclaimed-sqlite": Scenario(
        "alerts that nobody reacts to for minutes, while each of two servers is killed at a deadline: each told once",
        "sqlite",
        _unclaimed,
    ),
    "destinations-unclaimed-postgresql": Scenario("the same on PostgreSQL", "postgresql", _unclaimed),
    "connections-sqlite": Scenario(
        "four systems that are connected over a rude network: both sides are equal in the end, also after kills",
        "sqlite",
        _connections(1),
    ),
    "connections-postgresql": Scenario(
        "the same with two attached servers on PostgreSQL, each of which is killed once", "postgresql", _connections(2)
    ),
    "leaks": Scenario("rude clients by the thousand leave no file, task or memory behind", "sqlite", _leaks),
    "page": Scenario(
        "the pages stay as small, however long they are open, in a headless Chromium",
        "sqlite",
        _page,
        needs=page.NEEDS,
    ),
    "hostile-sqlite": Scenario("no attack is felt by an innocent caller", "sqlite", _hostile, loaded=True),
    "hostile-postgresql": Scenario("the same on PostgreSQL", "postgresql", _hostile, loaded=True),
    "refusals-sqlite": Scenario("memory stays as it is, whatever is refused", "sqlite", _refusals, loaded=True),
    "refusals-postgresql": Scenario("the same on PostgreSQL", "postgresql", _refusals, loaded=True),
    "fuzz-sqlite": Scenario("no generated request is the server's fault or a stall", "sqlite", _fuzz, loaded=True),
    "fuzz-postgresql": Scenario("the same on PostgreSQL", "postgresql", _fuzz, loaded=True),
}

app = App(name="soak", help="Prove on this machine that no event is lost, and nothing leaks.", version_flags=[])


@app.default
def soak(
    *scenarios: str,
    seconds: float | None = None,
    snoozes: int = 1_000,
    connections: int = 10_000,
    size: Literal["small", "100k"] = "100k",
    attacks: str = "",
    requests: int = 5_000,
    rounds: int = 30,
    seed: int = 1,
    list_: Annotated[bool, Parameter(name="--list", negative=())] = False,
) -> int:
    """Run the named scenarios, or all, one after the other; the status is 0 when all passed.

    Everything is started for the run and ended with it: servers at free ports, and a PostgreSQL of its own.

    Parameters
    ----------
    scenarios
        Their names, or the beginnings of names: `gap-free`, `kill`, `restarts`, `deadlines`, `destinations`,
        `connections`, `leaks`, `page`, `hostile`, `refusals`, `fuzz`.
    seconds
        How long the writers of gap-free, kill and destinations write (20), and those of restarts and connections (60),
        each attack of hostile lasts (6), and refusals come (30); fuzz sends nothing more after them.
    snoozes
        How many end in the same second.
    connections
        How many clients of leaks come and go.
    size
        How many interactions the database of hostile, refusals and fuzz has: 3,000 or 100,000, generated once and kept.
    attacks
        The attacks of hostile to run in place of all, separated by commas.
    requests
        How many fuzz sends.
    rounds
        How many times page opens, closes and breaks everything.
    seed
        What fuzz and connections begin with; the same one makes the same requests of fuzz, and the same choices of
        connections, whose times are the machine's.
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
    only = tuple(attacks.split(",")) if attacks else ()
    if unknown := set(only) - ATTACKS.keys() - PROOFS.keys():
        sys.exit(f"soak: There is no attack {min(unknown)}; --list shows them.")
    of = Amounts(seconds, snoozes, connections, _SIZES[size], only, requests, rounds, seed)
    for name in chosen:
        if needs := SCENARIOS[name].needs:
            print(f"SKIP {name}: needs {needs}")  # noqa: T201 - what it is for
    passed = [_run(name, of) for name in chosen if SCENARIOS[name].needs is None]
    print(f"{sum(passed)} of {len(passed)} passed")  # noqa: T201 - what it is for
    return 0 if passed and all(passed) else 1


def _is_meant(name: str, by: str) -> bool:
    return name == by or (by not in SCENARIOS and name.startswith(by))


def _run(name: str, of: Amounts) -> bool:
    scenario = SCENARIOS[name]
    backend = scenario.backend
    started = time.monotonic()
    with loaded_database(backend, of.interactions) if scenario.loaded else fresh_database(backend) as (url, folder):
        outcome = asyncio.run(scenario.run(url, folder, of))
    verdict = "FAIL" if outcome.faults else "PASS"
    lines = [f"{verdict} {name}: {outcome.summary} ({time.monotonic() - started:.0f} s)"]
    lines += [f"     {fault}" for fault in outcome.faults[:_MOST_FAULTS]]
    if (more := len(outcome.faults) - _MOST_FAULTS) > 0:
        lines.append(f"     and {more} more")
    print("\n".join(lines), flush=True)  # noqa: T201 - what it is for
    return not outcome.faults


def _show() -> None:
    table = Table("name", "what it shows", box=None)
    for name, scenario in SCENARIOS.items():
        table.add_row(name, scenario.shows)
    attacks = Table("attack of hostile", "what it does", box=None)
    for name, attack in {**ATTACKS, **PROOFS}.items():
        attacks.add_row(name, described(attack))
    Console().print(table, "", attacks)


if __name__ == "__main__":
    # So that the servers end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(app())
