"""The leases of users who view interactions or listen to the queue."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from app.interactions.tables import interaction, watch
from app.storage.constructs import insert_into
from app.storage.repository import Repository

Place = tuple[int, int]
"""A surrogate or ATTENTION, and the user who watches it."""

Watchers = Mapping[int, Mapping[int, int]]
"""How many listeners each user has, by subject."""


class WatchRepository(Repository):
    """The leases of all processes; a `holder` is one of them."""

    def watchers(self, subjects: Collection[int], now: datetime) -> Watchers:
        """Who watches these subjects, by every lease that has not ended."""
        found: dict[int, dict[int, int]] = {}
        rows = self.connection.execute(
            sa.select(watch.c.subject, watch.c.user_id, sa.func.sum(watch.c.listeners))
            .where(watch.c.subject.in_(subjects), watch.c.until > now)
            .group_by(watch.c.subject, watch.c.user_id)
        )
        for subject, user_id, listeners in rows:
            found.setdefault(subject, {})[user_id] = int(listeners)
        return found

    def lock(self, subjects: Collection[int]) -> None:
        """Let no other unit change the leases of these subjects meanwhile: of two who leave at once one is the last,
        and whoever comes while the last one leaves is told of."""
        keys = (watch.c.subject, watch.c.user_id, watch.c.holder)
        self.connection.execute(sa.select(*keys).where(watch.c.subject.in_(subjects)).order_by(*keys).with_for_update())

    def hold(self, holder: str, held: Mapping[Place, int], until: datetime) -> None:
        """Begin or renew the holder's leases."""
        insert = insert_into(self.dialect_name, watch)
        given = {"listeners": insert.excluded.listeners, "until": insert.excluded.until}
        rows = [
            {"subject": subject, "user_id": user_id, "holder": holder, "listeners": listeners, "until": until}
            for (subject, user_id), listeners in held.items()
        ]
        keys = (watch.c.subject, watch.c.user_id, watch.c.holder)
        self.connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=given), rows)

    def let_go(self, holder: str, places: Iterable[Place]) -> None:
        """Delete leases of the holder."""
        mine = sa.delete(watch).where(
            watch.c.subject == sa.bindparam("s"), watch.c.user_id == sa.bindparam("u"), watch.c.holder == holder
        )
        self.connection.execute(mine, [{"s": subject, "u": user_id} for subject, user_id in places])

    def forget(self, now: datetime) -> list[int]:
        """Delete the leases that have ended; their subjects."""
        erased = self.connection.execute(sa.delete(watch).where(watch.c.until <= now).returning(watch.c.subject))
        return sorted(set(erased.scalars()))

    def kinds(self, subjects: Collection[int]) -> Mapping[int, str]:
        """The kind of each subject that is an interaction, and still there."""
        rows = self.connection.execute(
            sa.select(interaction.c.id, interaction.c.kind).where(interaction.c.id.in_(subjects))
        )
        return {row.id: row.kind for row in rows}
