"""Named queries over which interactions came from other systems."""

from datetime import datetime

from sqlalchemy.dialects import postgresql, sqlite

from app.connections.tables import mirrored
from app.storage.repository import Repository


class MirroredRepository(Repository):
    """The interactions that belong to connections, each by the other system's own key."""

    def note(self, interaction_id: int, connection_id: int, key: str, now: datetime) -> None:
        """The interaction is the connection's, under this key, and was brought up to date now."""
        dialect = sqlite if self.dialect_name == "sqlite" else postgresql
        insert = dialect.insert(mirrored).values(
            id=interaction_id, connection_id=connection_id, upstream_key=key, synced_at=now
        )
        given = {name: insert.excluded[name] for name in ("connection_id", "upstream_key", "synced_at")}
        self.connection.execute(insert.on_conflict_do_update(index_elements=[mirrored.c.id], set_=given))
