"""Named queries over the keys that other systems gave to notes."""

from collections.abc import Mapping

import sqlalchemy as sa

from app.connections.tables import mirrored_note
from app.storage.constructs import insert_into
from app.storage.repository import Repository

_OF = mirrored_note.c


class MirroredNoteRepository(Repository):
    """The notes of interactions that other systems have too. The key of a note that was deleted here stays, so that a
    read does not bring the note back."""

    def known(self, interaction_id: int) -> Mapping[str, int | None]:
        """The keys of the interaction's notes there, each with the note's surrogate; None for one that was deleted."""
        found = sa.select(_OF.upstream_key, _OF.note_id).where(_OF.interaction_id == interaction_id)
        return {row[0]: row[1] for row in self._all(found)}

    def note(self, interaction_id: int, key: str, note_id: int | None) -> None:
        """Record that the note has this key there; None for one that was deleted here."""
        insert = insert_into(self.dialect_name, mirrored_note).values(
            interaction_id=interaction_id, upstream_key=key, note_id=note_id
        )
        keys = [_OF.interaction_id, _OF.upstream_key]
        self.connection.execute(insert.on_conflict_do_update(index_elements=keys, set_={"note_id": note_id}))

    def key_of(self, interaction_id: int, note_id: int) -> str | None:
        """The key of the note there; None for a note that only is here."""
        found = sa.select(_OF.upstream_key).where(_OF.interaction_id == interaction_id, _OF.note_id == note_id)
        row = self._one(found)
        return None if row is None else str(row[0])

    def forget(self, interaction_id: int, key: str) -> None:
        """The next read may bring the note with this key again."""
        gone = sa.delete(mirrored_note).where(_OF.interaction_id == interaction_id, _OF.upstream_key == key)
        self.connection.execute(gone)
