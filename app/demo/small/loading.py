"""Loads the small demo: some fifty interactions, made by the services as over the last six days, in one unit."""

from collections.abc import Callable

import sqlalchemy as sa

from app.core.errors import DomainError
from app.demo.small import agent_sessions, chats, conversations, sessions
from app.demo.small.cast import gather
from app.demo.small.stage import DemoIds, Stage
from app.interactions.service.deadlines import fire_due
from app.interactions.tables import interaction, message
from app.kinds.session.tables import session
from app.storage.database import Database
from app.storage.work import Work

_SEED = "switchboard"
_DUE = 100
_MARK = "7cb0a876-5d34-4e03-b725-932606041626"
"""The key of a session that only the demo and its contract's page have."""


async def load_small(
    database: Database, report: Callable[[int, int], None], *, refuse: Callable[[], DomainError] | None
) -> tuple[int, int, bool]:
    """Load it unless it is there: how many interactions and messages, and whether it was there.

    `refuse` makes the error to raise for a database that has other interactions; None: they do not matter."""
    interactions, messages, was_there = await database.command(_load, refuse)
    report(interactions, interactions)
    return interactions, messages, was_there


def _load(work: Work, refuse: Callable[[], DomainError] | None) -> tuple[int, int, bool]:
    of_demo = sa.select(session.c.id).where(session.c.session_key == _MARK)
    if work.connection.execute(of_demo).first() is not None:
        return 0, 0, True
    before = _count(work, interaction), _count(work, message)
    if before[0] and refuse is not None:
        raise refuse()
    stage = Stage(work, DemoIds(_SEED))
    cast = gather(stage)
    kinds = (sessions, agent_sessions, chats, conversations)
    stage.play([story for kind in kinds for story in kind.stories(stage, cast)])
    stage.now = stage.end
    while stage.do(fire_due, _DUE).found == _DUE:
        pass
    return _count(work, interaction) - before[0], _count(work, message) - before[1], False


def _count(work: Work, table: sa.Table) -> int:
    return work.connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
