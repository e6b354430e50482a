"""`bench backfill`: how fast the history of attached systems comes in, over a kill, and what callers feel of it."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import sqlalchemy as sa
from rich.console import Console

from app.commands.opening import opened
from app.core.sealing import new_key
from app.interactions.tables import interaction, message
from app.settings import Settings
from app.storage.migrations import migrate
from app.storage.work import Work
from benchmarks.backfill.watching import LATE, LIVE, SYSTEMS, Seen, attach, look_afterwards, watch
from benchmarks.bulk.drafts import KINDS
from benchmarks.cases import server_settings
from benchmarks.client import BenchmarkError
from benchmarks.databases import copied, folder, kept_on_postgresql, sqlite_url, with_children
from benchmarks.processes import GENERATOR_CORES, SERVER_CORES, cpu_seconds, pin, pin_all, serving

Counts = Mapping[str, tuple[int, int]]
"""Interactions and messages by kind."""

_KILLED_AT = 1 / 3


@dataclass
class _Used:
    """Seconds of CPU that the attached server, its PostgreSQL and the other server have used."""

    here: float = 0.0
    database: float | None = None
    there: float = 0.0

    def __str__(self) -> str:
        of_database = "" if self.database is None else f", {self.database:,.0f} s in its database"
        return f"CPU {self.here:,.0f} s here{of_database}, {self.there:,.0f} s there"


def backfill(count: int, requests: float, minutes: float, console: Console, *, postgres: bool) -> None:
    """Attach a Switchboard to one with so many interactions of three kinds, kill it on the way, and print.

    Where not all has come in after so many minutes, what has is printed. Raises BenchmarkError where something is
    missing at the end, or a live change did not arrive."""
    # One kind has no list, so that it is not read as a whole.
    source = sqlite_url(-(-count * len(KINDS) // len(SYSTEMS)), console)
    pin(GENERATOR_CORES)
    with tempfile.TemporaryDirectory(prefix="switchboard-backfill-") as name, _empty(Path(name), postgres) as empty:
        url, database = empty
        twin = f"sqlite:///{name}/twin.db"
        shutil.copyfile(source.removeprefix("sqlite:///"), f"{name}/twin.db")
        expected = asyncio.run(_counts(twin))
        until = time.monotonic() + minutes * 60
        seen, used, began, whole = Seen(), _Used(), time.monotonic(), False
        before = _cpu_of(database)
        with serving(["app", "serve", "--port", "0"], server_settings(twin), Path(name)) as there:
            pin_all(GENERATOR_CORES, there.process)
            settings = {
                **server_settings(url),
                "SWITCHBOARD_SECRETS_KEY": new_key(),
                "SWITCHBOARD_OUTBOUND_NETWORKS": "127.0.0.1/32",
            }
            total = sum(expected[kind][0] for kind in SYSTEMS)
            for share in (_KILLED_AT, None):
                with serving(["app", "serve", "--port", "0"], settings, folder()) as here:
                    if share is not None:
                        asyncio.run(attach(here.port, there.port, requests))
                        began = time.monotonic()
                    enough = None if share is None else int(total * share)
                    whole = asyncio.run(watch(here.port, there.port, url, enough, until, seen, console))
                    seconds = time.monotonic() - began
                    used.here += here.cpu_seconds()
                    if share is None or not whole:
                        used.there, used.database = there.cpu_seconds(), _less(_cpu_of(database), before)
                        if whole:  # or more would come in, and count as if it had come in time
                            asyncio.run(look_afterwards(here.port, seen))
                        break
                    seen.killed_at = time.monotonic()
                    here.process.kill()
        _say(console, expected, asyncio.run(_counts(url)), seen, seconds, used, whole=whole)


@contextmanager
def _empty(place: Path, postgres: bool) -> Iterator[tuple[str, list[psutil.Process]]]:
    """The address of an empty, migrated database that goes with the block, and the processes of its server."""
    if not postgres:
        yield f"sqlite:///{place}/attached.db", []
        return
    pin(GENERATOR_CORES | SERVER_CORES)
    with (
        kept_on_postgresql("backfill_empty", migrate) as (address, processes),
        copied(address, "run") as url,
    ):
        pin(GENERATOR_CORES)
        yield url, processes


def _cpu_of(database: list[psutil.Process]) -> float | None:
    """What a server of PostgreSQL has used, with its processes that have ended."""
    if not database:
        return None
    ended = [each.cpu_times() for each in database]
    return cpu_seconds(with_children(database)) + sum(
        float(each.children_user + each.children_system) for each in ended
    )


def _less(now: float | None, before: float | None) -> float | None:
    return None if now is None or before is None else now - before


async def _counts(url: str) -> Counts:
    async with opened(Settings(database_url=url)) as database:
        return await database.command(_counted)


def _counted(work: Work) -> Counts:
    """What there is of each kind, without what the run itself has said."""
    said = (
        sa.select(message.c.interaction_id, sa.func.count().label("many"))
        .where(sa.or_(message.c.text.is_(None), ~message.c.text.startswith(LIVE)))
        .group_by(message.c.interaction_id)
        .subquery()
    )
    asked = (
        sa.select(interaction.c.kind, sa.func.count(), sa.func.sum(sa.func.coalesce(said.c.many, 0)))
        .select_from(interaction.outerjoin(said, said.c.interaction_id == interaction.c.id))
        .group_by(interaction.c.kind)
    )
    return {row[0]: (int(row[1]), int(row[2])) for row in work.connection.execute(asked)}


def _say(
    console: Console, expected: Counts, found: Counts, seen: Seen, seconds: float, used: _Used, *, whole: bool
) -> None:
    interactions = messages = 0
    for kind in SYSTEMS:
        there, here = expected[kind], found.get(kind, (0, 0))
        interactions, messages = interactions + here[0], messages + here[1]
        console.print(
            f"{kind}: {here[0]:,} of {there[0]:,} interactions, {here[1]:,} of {there[1]:,} messages are here"
        )
    killed = "no kill" if seen.killed_at is None else "one kill -9 among them"
    console.print(
        f"{interactions:,} interactions with {messages:,} messages in {seconds:,.0f} s, {killed}: "
        f"{interactions / seconds:,.1f} interactions/s, {messages / seconds:,.0f} messages/s; {used}; "
        f"{1_000 * used.here / max(interactions, 1):.1f} ms of CPU here for each interaction"
    )
    if seen.resumed is not None:
        console.print(f"After the kill, more was here within {seen.resumed:.1f} s, of which the start is a part")
    console.print(f"Live changes: {seen.told('live')}; the first after each start: {seen.told('first')}")
    console.print(f"Of the live changes, {seen.late} took more than {LATE:g} s, and {seen.lost} did not arrive")
    console.print(f"Inbox page:   {seen.told('inbox')}; afterwards: {seen.told('afterwards')}")
    if seen.lost:
        raise BenchmarkError(f"{seen.lost} live changes did not arrive in time.")
    if not whole:
        console.print("This is a part of it: the time was up.")
    elif any(found.get(kind, (0, 0))[0] != expected[kind][0] for kind in SYSTEMS):
        raise BenchmarkError("Not all interactions are here.")
