"""Stores marks for reports."""

from dataclasses import asdict, fields
from datetime import datetime

import sqlalchemy as sa

from app.interactions.marks import Mark
from app.interactions.tables import mark
from app.storage.fixed import Fixed
from app.storage.repository import Repository

_NAMES = [field.name for field in fields(Mark)]
# A SELECT, because what is kept until the unit ends has to have conditions.
_INSERT = Fixed(
    sa.insert(mark).from_select(
        _NAMES, sa.select(*(sa.bindparam(name, type_=mark.c[name].type) for name in _NAMES)).where(sa.true())
    )
)
_RETRACT = Fixed(
    sa.update(mark)
    .where(
        mark.c.interaction_id == sa.bindparam("key", type_=sa.BigInteger),
        mark.c.waited_since >= sa.bindparam("from_", type_=mark.c.waited_since.type),
        mark.c.stands,
    )
    .values(stands=sa.false(), due=sa.true())
)


class MarkRepository(Repository):
    """Marks as commands write them; `app.reports` counts them."""

    def add(self, new: Mark) -> None:
        """Insert the mark."""
        _INSERT.write(self.connection, asdict(new))

    def retract(self, interaction_id: int, since: datetime) -> None:
        """The interaction's waits that began then or later have not ended: their answers do not stand."""
        # At once, not with the unit's events: who counts marks has locked them for as long as that takes.
        _RETRACT.run(self.connection, {"key": interaction_id, "from_": since})
