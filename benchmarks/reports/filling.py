"""Databases with the figures of generated interactions, and no interactions."""

import time
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import sqlalchemy as sa
from rich.console import Console

from app.commands.opening import opened
from app.directory.model.team import Team
from app.directory.repository import TeamRepository
from app.interactions.marks import Mark
from app.interactions.tables import mark
from app.reports.service import count_marks
from app.settings import Settings
from app.storage import migrations
from app.storage.work import Work
from benchmarks.bulk.staff import hire
from benchmarks.reports.marks import marks_of

TEAMS = 8
_AT_ONCE = 10_000


async def fill(url: str, source: Path, console: Console) -> None:
    """Migrate a database and count in it what the interactions of the source have marked; say how long that took."""
    started, used = time.perf_counter(), time.process_time()
    await migrations.migrate(url)
    async with opened(Settings(database_url=url)) as database:
        teams = await database.command(_staff)
        marks, found = marks_of(source, (0, *teams)), 0
        while part := list(islice(marks, _AT_ONCE)):
            await database.command(_add, part)
            found += len(part)
            while await database.command(count_marks, _AT_ONCE):
                pass
    console.print(
        f"Counted {found:,} marks in {time.perf_counter() - started:.0f} s ({time.process_time() - used:.0f} s of "
        "CPU here)"
    )


def _staff(work: Work) -> list[int]:
    hire(work)
    teams, now = work.use(TeamRepository), work.now
    return [
        teams.add(Team(id=0, name=f"Team {place}", created_at=now, updated_at=now)).id for place in range(1, TEAMS + 1)
    ]


def _add(work: Work, marks: list[Mark]) -> None:
    work.connection.execute(sa.insert(mark), [asdict(each) for each in marks])
