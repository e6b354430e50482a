"""The open sessions of all processes."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.core.sessions import OpenSession
from app.directory.tables import open_session
from app.storage.constructs import insert_into
from app.storage.repository import Repository


class SessionRepository(Repository):
    """Named queries over open sessions."""

    def hold(self, holder: str, sessions: Iterable[tuple[OpenSession, int]], until: datetime) -> None:
        """Begin or renew the holder's leases on sessions, each of one user."""
        rows = [
            {**session._asdict(), "user_id": user_id, "holder": holder, "until": until} for session, user_id in sessions
        ]
        insert = insert_into(self.dialect_name, open_session)
        renewed = insert.on_conflict_do_update(
            index_elements=[open_session.c.id], set_={"until": insert.excluded.until}
        )
        self.connection.execute(renewed, rows)

    def let_go(self, holder: str, sessions: Collection[int]) -> None:
        """End leases of the holder."""
        mine = open_session.c.holder == holder
        self.connection.execute(sa.delete(open_session).where(open_session.c.id.in_(sessions), mine))

    def named(self, user_id: int, sessions: Collection[int], now: datetime) -> Mapping[int, int | None]:
        """Those of the sessions that are the user's, whose leases have not ended, with their tickets."""
        mine = (open_session.c.user_id == user_id, open_session.c.id.in_(sessions), open_session.c.until > now)
        found = self._all(sa.select(open_session.c.id, open_session.c.ticket_id).where(*mine))
        return {row.id: row.ticket_id for row in found}

    def erase(self, sessions: Collection[int]) -> None:
        """Erase leases of any process."""
        self.connection.execute(sa.delete(open_session).where(open_session.c.id.in_(sessions)))

    def list_of(self, user_id: int, now: datetime) -> Sequence[sa.Row[Any]]:
        """The user's sessions whose leases have not ended, latest first."""
        found = sa.select(open_session).where(open_session.c.user_id == user_id, open_session.c.until > now)
        return self._all(found.order_by(open_session.c.began_at.desc(), open_session.c.id))

    def forget(self, now: datetime) -> None:
        """Delete the leases that have ended."""
        self.connection.execute(sa.delete(open_session).where(open_session.c.until <= now))
