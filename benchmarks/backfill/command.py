"""`bench backfill`: how fast the history of attached systems comes in, over a kill, and what callers feel of it."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console

from app.commands.opening import opened
from app.core.sealing import new_key
from app.interactions.tables import interaction, message
from app.settings import Settings
from app.storage.migrations import migrate
from app.storage.work import Work
from benchmarks.backfill.watching import LIVE, SYSTEMS, Seen, attach, watch
from benchmarks.bulk.drafts import KINDS
from benchmarks.cases import KEY
from benchmarks.client import BenchmarkError
from benchmarks.databases import copied, folder, kept_on_postgresql, sqlite_url
from benchmarks.processes import GENERATOR_CORES, SERVER_CORES, pin, pin_all, serving

Counts = Mapping[str, tuple[int, int]]
"""Interactions and messages by kind."""

_KILLED_AT = 1 / 3


def backfill(count: int, requests: float, minutes: float, console: Console, *, postgres: bool) -> None:
    """Attach a Switchboard to one with so many interactions of three kinds, kill it on the way, and print.

    Raises BenchmarkError where not all has come in after so many minutes."""
    # One kind has no list, so that it is not read as a whole.
    source = sqlite_url(-(-count * len(KINDS) // len(SYSTEMS)), console)
    pin(GENERATOR_CORES)
    with tempfile.TemporaryDirectory(prefix="switchboard-backfill-") as name, _empty(Path(name), postgres) as url:
        twin = f"sqlite:///{name}/twin.db"
        shutil.copyfile(source.removeprefix("sqlite:///"), f"{name}/twin.db")
        expected = asyncio.run(_counts(twin))
        until = time.monotonic() + minutes * 60
        seen, began = Seen(), time.monotonic()
        with serving(["app", "serve", "--port", "0"], _settings(twin), Path(name)) as there:
            pin_all(GENERATOR_CORES, there.process)
            settings = {
                **_settings(url),
                "SWITCHBOARD_SECRETS_KEY": new_key(),
                "SWITCHBOARD_OUTBOUND_NETWORKS": "127.0.0.1/32",
            }
            used = 0.0
            total = sum(expected[kind][0] for kind in SYSTEMS)
            for share in (_KILLED_AT, None):
                with serving(["app", "serve", "--port", "0"], settings, folder()) as here:
                    if share is not None:
                        asyncio.run(attach(here.port, there.port, requests))
                        began = time.monotonic()
                    enough = None if share is None else int(total * share)
                    asyncio.run(watch(here.port, there.port, enough, until, seen, console))
                    used += here.cpu_seconds()
                    if share is not None:
                        here.process.kill()
            seconds = time.monotonic() - began
            twin_used = there.cpu_seconds()
        found = asyncio.run(_counts(url))
        _say(console, expected, found, seen, seconds, used, twin_used)


@contextmanager
def _empty(place: Path, postgres: bool) -> Iterator[str]:
    """The address of an empty, migrated database that goes with the block."""
    if not postgres:
        yield f"sqlite:///{place}/attached.db"
        return
    pin(GENERATOR_CORES | SERVER_CORES)
    with kept_on_postgresql("backfill_empty", migrate) as (address, _), copied(address, "run") as url:
        pin(GENERATOR_CORES)
        yield url


def _settings(url: str) -> dict[str, str]:
    return {
        "SWITCHBOARD_DATABASE_URL": url,
        "SWITCHBOARD_BOOTSTRAP_KEY": KEY,
        "SWITCHBOARD_DEMO": "0",
        "SWITCHBOARD_LOG_LEVEL": "error",
    }


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
    console: Console, expected: Counts, found: Counts, seen: Seen, seconds: float, used: float, twin_used: float
) -> None:
    interactions = messages = 0
    for kind in SYSTEMS:
        there, here = expected[kind], found.get(kind, (0, 0))
        interactions, messages = interactions + here[0], messages + here[1]
        console.print(
            f"{kind}: {here[0]:,} of {there[0]:,} interactions, {here[1]:,} of {there[1]:,} messages are here"
        )
    console.print(
        f"{interactions:,} interactions with {messages:,} messages in {seconds:,.0f} s, one kill -9 among them: "
        f"{interactions / seconds:,.1f} interactions/s, {messages / seconds:,.0f} messages/s; "
        f"CPU {used:,.0f} s here, {twin_used:,.0f} s there"
    )
    console.print(f"Live changes: {seen.told('live')}; the first after each start: {seen.told('first')}")
    console.print(f"Inbox page:   {seen.told('inbox')}")
    if seen.lost:
        raise BenchmarkError(f"{seen.lost} live changes did not arrive in time.")
    if any(found.get(kind, (0, 0))[0] != expected[kind][0] for kind in SYSTEMS):
        raise BenchmarkError("Not all interactions are here.")
