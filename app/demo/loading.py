"""Loads the demo: some fifty interactions of six days, in one unit."""

from typing import NamedTuple

import sqlalchemy as sa

from app.core.errors import Conflict
from app.demo import agent_sessions, chats, conversations, sessions
from app.demo.cast import gather
from app.demo.stage import DemoIds, Stage
from app.interactions.service.deadlines import fire_due
from app.interactions.tables import interaction, message
from app.kinds.session.tables import session
from app.storage.database import Database
from app.storage.work import Work

_SEED = "switchboard"
_DUE = 100
_MARK = "7cb0a876-5d34-4e03-b725-932606041626"
"""The key of a session that only the demo and its contract's page have."""


class Loaded(NamedTuple):
    """What was loaded; nothing when the demo was there already."""

    interactions: int
    messages: int
    was_there: bool = False


async def load(database: Database, *, force: bool = False) -> Loaded:
    """Load the demo unless it is there. Raises Conflict for a database that has other interactions, without `force`."""
    return await database.command(_load, force)


def has_interactions(work: Work) -> bool:
    """Whether there is any interaction."""
    return bool(work.connection.execute(sa.select(sa.exists().select_from(interaction))).scalar_one())


def _load(work: Work, force: bool) -> Loaded:
    of_demo = sa.select(session.c.id).where(session.c.session_key == _MARK)
    if work.connection.execute(of_demo).first() is not None:
        return Loaded(0, 0, was_there=True)
    if not force and has_interactions(work):
        raise Conflict("The database holds interactions already. --force adds the demo to them.")
    before = _count(work, interaction), _count(work, message)
    stage = Stage(work, DemoIds(_SEED))
    cast = gather(stage)
    kinds = (sessions, agent_sessions, chats, conversations)
    stage.play([story for kind in kinds for story in kind.stories(stage, cast)])
    stage.now = stage.end
    while stage.do(fire_due, _DUE).found == _DUE:
        pass
    return Loaded(_count(work, interaction) - before[0], _count(work, message) - before[1])


def _count(work: Work, table: sa.Table) -> int:
    return work.connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
