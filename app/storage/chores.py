"""Recurring tasks. Each run is done by one process only."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.storage.constructs import insert_into
from app.storage.query import Query
from app.storage.tables import Timestamp, metadata
from app.storage.work import Work

chore = sa.Table(
    "chore",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("due_at", Timestamp, nullable=False),
    sqlite_with_rowid=False,
)

DUE = Query("SELECT name, due_at FROM chore")
"""The driver's rows of all chores that were ever done: when each is due again."""


@dataclass(frozen=True, slots=True)
class Chore:
    """`run` does a part that fits into one unit, and returns whether more is left to do."""

    name: str
    every: timedelta
    run: Callable[[Work], bool]


def take(work: Work, wanted: Chore) -> tuple[bool, datetime]:
    """Whether the caller has to do the chore now, and when it is due next. Only one of several processes gets it."""
    work.connection.execute(
        insert_into(work.dialect_name, chore).values(name=wanted.name, due_at=work.now).on_conflict_do_nothing()
    )
    next_at = work.now + wanted.every
    mine = sa.update(chore).where(chore.c.name == wanted.name, chore.c.due_at <= work.now).values(due_at=next_at)
    if work.connection.execute(mine).rowcount:
        return True, next_at
    found: datetime = work.connection.execute(sa.select(chore.c.due_at).where(chore.c.name == wanted.name)).scalar_one()
    return False, found
