"""`bench variants`: what metrics add to reads, and what it adds that a caller sees a part."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from statistics import median

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.cases import KEY, Case, cases, server_settings
from benchmarks.databases import folder, postgresql, sqlite_url
from benchmarks.measuring import sessions_of
from benchmarks.processes import GENERATOR_CORES, SERVER_CORES, pin, serving
from benchmarks.variants.member import as_asked_with, key_of_member, prove_alike
from benchmarks.variants.turns import Cost, Variant, cost_of, ratio, take_turns

_READS = 3
"""The first cases are the reads."""

PLAIN, SAME, MEMBER, OTHER, WATCHED = (
    "plain",
    "the same server again",
    "seen by a team's member",
    "another plain server",
    "with metrics",
)
_AIMS = {MEMBER: (1.05, SAME), WATCHED: (1.02, OTHER)}
"""The CPU of a request to that of the plain server's at most, and the variant whose distance from 1 is the noise."""

_NOISE = 0.02

Found = dict[str, dict[str, list[Cost]]]
"""The turns of each variant of each case."""


def variants(count: int, seconds: float, turns: int, rounds: int, console: Console, *, postgres: bool) -> None:
    """Ask for each read in turn, and print what each variant costs against the plain server asked by an admin.

    Each round has servers of its own, as two processes of one program differ by some percent. Raises BenchmarkError
    when two variants give different answers."""
    url = sqlite_url(count, console)
    pin(GENERATOR_CORES)
    _say("SQLite", _measured(url, [], seconds, turns, rounds), console)
    if postgres:
        pin(GENERATOR_CORES | SERVER_CORES)
        with postgresql(count, console) as (url, processes):
            pin(GENERATOR_CORES)
            _say("PostgreSQL", _measured(url, processes, seconds, turns, rounds), console)


def _measured(url: str, database: Sequence[psutil.Process], seconds: float, turns: int, rounds: int) -> Found:
    found: Found = {}
    for _ in range(rounds):
        for case, costs in _round(url, database, seconds, turns).items():
            known = found.setdefault(case, {})
            for name, each in costs.items():
                known.setdefault(name, []).extend(each)
    return found


def _round(url: str, database: Sequence[psutil.Process], seconds: float, turns: int) -> Found:
    settings = server_settings(url)
    with ExitStack() as stack:
        plain, other, watched = (
            stack.enter_context(serving(["app", "serve", "--port", "0"], {**settings, **more}, folder()))
            for more in ({}, {}, {"SWITCHBOARD_METRICS_PORT": "0"})
        )
        sessions = asyncio.run(sessions_of(plain.port))
        reads = cases(sessions)[:_READS]
        member = asyncio.run(key_of_member(plain.port, [number for number, _ in sessions], reads))
        all_ = [
            Variant(PLAIN, plain, KEY),
            Variant(SAME, plain, KEY),
            Variant(MEMBER, plain, member),
            Variant(OTHER, other, KEY),
            Variant(WATCHED, watched, KEY),
        ]
        prove_alike([(each.server.port, each.key) for each in all_], reads)
        return {case.name: _turns_of(case, all_, database, seconds, turns) for case in reads}


def _turns_of(
    case: Case, all_: Sequence[Variant], database: Sequence[psutil.Process], seconds: float, turns: int
) -> dict[str, list[Cost]]:
    asked = [partial(cost_of, each.server, as_asked_with(each.key, case), seconds, database) for each in all_]
    found = take_turns(len(all_), turns, lambda place: asked[place]())
    return {each.name: costs for each, costs in zip(all_, found, strict=True)}


def _say(title: str, found: Mapping[str, Mapping[str, Sequence[Cost]]], console: Console) -> None:
    table = Table(title=title)
    for name in ("read", "variant"):
        table.add_column(name)
    for name in ("CPU us", "database us", "ratio", "us each", "ratio"):
        table.add_column(name, justify="right")
    for case, variants in found.items():
        plain = variants[PLAIN]
        for name, costs in variants.items():
            table.add_row(
                case if name == PLAIN else "",
                name,
                # Both times of a turn are added up.
                f"{median(each.cpu for each in costs) / 2:,.0f}",
                f"{median(each.database for each in costs) / 2:,.0f}",
                f"{ratio(costs, plain, lambda cost: cost.work):.3f}",
                f"{median(each.time for each in costs) / 2:,.0f}",
                f"{ratio(costs, plain, lambda cost: cost.time):.3f}",
            )
        table.add_section()
    console.print(table)
    for case, variants in found.items():
        for name, (aim, noise) in _AIMS.items():
            dearer, off = (ratio(variants[each], variants[PLAIN], lambda cost: cost.work) for each in (name, noise))
            verdict = "met" if dearer <= aim else "missed"
            quiet = "" if abs(off - 1) <= _NOISE else "; the machine was not quiet enough to say so"
            console.print(f"{title}, {case}, {name}: {dearer:.3f} of {aim} ({noise}: {off:.3f}): {verdict}{quiet}")
