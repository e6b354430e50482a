"""Reads and writes messages, the errors of messages, and notes."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from app.core.replacing import replace
from app.interactions.messages import Message, MessageAuthor, MessageError, MessageStatus
from app.interactions.repository.rows import differing, fields_of_row, read_row, written
from app.interactions.repository.words import stored_words
from app.interactions.tables import deleted_message, interaction, message, message_error, note
from app.storage.constructs import TextList, among_keys
from app.storage.fixed import Fixed
from app.storage.repository import Repository

_OWN = fields_of_row(Message, [column.name for column in message.columns if column.name not in ("id", "words")])
_COLUMNS = (message.c.id, *(message.c[field.name] for field in _OWN))
_KEY: sa.BindParameter[int] = sa.bindparam("key")
_BY_ID = Fixed(sa.select(*_COLUMNS).where(message.c.id == _KEY))
_BY_MESSAGE_KEY = Fixed(
    sa.select(*_COLUMNS).where(
        message.c.channel_key == sa.bindparam("channel"), message.c.message_key == sa.bindparam("key")
    )
)
_DELETED_KEY = sa.and_(
    deleted_message.c.channel_key == sa.bindparam("channel"), deleted_message.c.key_digest == sa.bindparam("digest")
)
_DELETED = Fixed(sa.select(deleted_message.c.message_id, deleted_message.c.interaction_id).where(_DELETED_KEY))
_CHANNEL: sa.BindParameter[str] = sa.bindparam("channel")
_KEYS = sa.bindparam("keys", type_=TextList())
_TAKEN = Fixed(
    sa.select(message.c.message_key).where(message.c.channel_key == _CHANNEL, among_keys(message.c.message_key, _KEYS))
)
_TAKEN_DELETED = Fixed(
    sa.select(deleted_message.c.key_digest).where(
        deleted_message.c.channel_key == _CHANNEL, among_keys(deleted_message.c.key_digest, _KEYS)
    )
)
_FORGET_DELETED = Fixed(sa.delete(deleted_message).where(_DELETED_KEY))
_INSERT_DELETED = Fixed(sa.insert(deleted_message))
_IN: sa.BindParameter[int] = sa.bindparam("interaction", type_=sa.BigInteger)
_BELONGS = Fixed(
    sa.select(sa.literal_column("1")).where(
        sa.or_(
            sa.exists().where(message.c.id == _KEY, message.c.interaction_id == _IN),
            sa.exists().where(deleted_message.c.interaction_id == _IN, deleted_message.c.message_id == _KEY),
        )
    )
)
_INTERACTION = Fixed(sa.select(interaction.c.id).where(interaction.c.id == _KEY))
_INSERT = Fixed(sa.insert(message).returning(message.c.id))
_INSERT_MANY = Fixed(sa.insert(message))
_SEQUENCE = sa.func.pg_get_serial_sequence(message.name, message.c.id.name)
_NEXT_IDS = Fixed(
    sa.select(sa.func.nextval(_SEQUENCE)).select_from(
        sa.func.generate_series(1, sa.bindparam("count", type_=sa.Integer))
    )
)
_UPDATE = Fixed(sa.update(message).where(message.c.id == _KEY))
_DELETE = Fixed(sa.delete(message).where(message.c.id == _KEY))
_INSERT_ERROR = Fixed(sa.insert(message_error).returning(message_error.c.id))
# Spelled as the partial index is, so that both planners see that it covers this.
_UNREAD = sa.text("author = 'CUSTOMER' AND status <> 'READ'")
_READ = (
    sa.update(message)
    .where(message.c.interaction_id == _KEY, _UNREAD)
    .values(
        status=MessageStatus.READ.value,
        delivered_at=sa.func.coalesce(message.c.delivered_at, sa.bindparam("now", type_=message.c.updated_at.type)),
        updated_at=sa.bindparam("now", type_=message.c.updated_at.type),
    )
)
_MARK_READ = Fixed(_READ)
_MARK_READ_UP_TO = Fixed(_READ.where(message.c.id <= sa.bindparam("up_to", type_=sa.BigInteger)))
_COUNT_UNREAD = Fixed(sa.select(sa.func.count()).select_from(message).where(message.c.interaction_id == _KEY, _UNREAD))
_NEWEST = (
    sa.select(message.c.id, message.c.sent_at)
    .where(message.c.interaction_id == _KEY)
    .order_by(message.c.sent_at.desc(), message.c.id.desc())
    .limit(1)
)
_LATEST = Fixed(_NEWEST)
_LATEST_KEYS = (
    sa.select(message.c.message_key, message.c.updated_at)
    .where(message.c.interaction_id == _KEY)
    .order_by(message.c.sent_at.desc(), message.c.id.desc())
    .limit(20)
)
_LATEST_OF_CUSTOMER = Fixed(_NEWEST.where(message.c.author == sa.literal_column(f"'{MessageAuthor.CUSTOMER}'")))


class Place(NamedTuple):
    """A message's surrogate and its time, which is what messages are ordered by."""

    id: int
    sent_at: datetime


class MessageRepository(Repository):
    """Messages with their errors."""

    def get(self, message_id: int) -> Message | None:
        """The message with this surrogate. Lock its interaction before changing it."""
        return _message(self._one(_BY_ID, {"key": message_id}))

    def belongs(self, message_id: int, interaction_id: int) -> bool:
        """Whether the message is one of the interaction's, or was before it was deleted."""
        return self._one(_BELONGS, {"key": message_id, "interaction": interaction_id}) is not None

    def get_by_key(self, channel_key: str, message_key: str) -> Message | None:
        """The message with this key of the channel. A message of a deleted interaction is erased, so that its key is
        free."""
        found = _message(self._one(_BY_MESSAGE_KEY, {"channel": channel_key, "key": message_key}))
        if found is not None and not self._is_there(found.interaction_id):
            self.remove(found.id)
            return None
        return found

    def received(self, channel_key: str, message_key: str) -> int | None:
        """The surrogate of the message with this key of the channel, also of one that was deleted since."""
        found = self.get_by_key(channel_key, message_key)
        if found is not None:
            return found.id
        # Asked for last: a message that is deleted at this moment is in one of the two.
        key = {"channel": channel_key, "digest": _digest(message_key)}
        deleted = self._one(_DELETED, key)
        if deleted is None:
            return None
        if not self._is_there(deleted.interaction_id):
            _FORGET_DELETED.run(self.connection, key)
            return None
        return int(deleted.message_id)

    def taken(self, channel_key: str, message_keys: Collection[str]) -> frozenset[str]:
        """Those of the keys of the channel that a message has, or had before it was deleted. `received` says of each
        whether it is free again."""
        digests = {_digest(key): key for key in message_keys}
        known = self._all(_TAKEN, {"channel": channel_key, "keys": list(message_keys)})
        deleted = self._all(_TAKEN_DELETED, {"channel": channel_key, "keys": list(digests)})
        return frozenset([row[0] for row in known] + [digests[row[0]] for row in deleted])

    def add(self, new: Message) -> Message:
        """Insert the message, its words for search and its error if it has one; the same with its ids."""
        return self._with_error(replace(new, id=self._one(_INSERT, _values(new))[0]))

    def add_many(self, new: Sequence[Message]) -> Sequence[Message]:
        """As `add`, for several messages in their order."""
        if self.dialect_name == "sqlite" or len(new) == 1:
            return [self.add(each) for each in new]
        numbers = [row[0] for row in self._all(_NEXT_IDS, {"count": len(new)})]
        stored = [replace(each, id=number) for each, number in zip(new, numbers, strict=True)]
        _INSERT_MANY.run_many(self.connection, [{"id": each.id, **_values(each)} for each in stored])
        return [self._with_error(each) for each in stored]

    def add_error(self, of: Message, error: MessageError) -> Message:
        """Add an error to the message; it becomes the latest one."""
        row = {
            "message_id": of.id,
            "type": error.type.value,
            "original_message": error.original_message,
            "created_at": of.updated_at,
        }
        latest = self._one(_INSERT_ERROR, row)[0]
        _UPDATE.run(self.connection, {"key": of.id, "latest_error_id": latest})
        return replace(of, latest_error_id=latest)

    def save(self, before: Message, after: Message) -> None:
        """Write the columns that differ. A text never changes, so neither do its words."""
        values = differing(before, after, _OWN)
        if values:
            _UPDATE.run(self.connection, {"key": after.id, **values})

    def remove(self, message_id: int) -> None:
        """Erase the message, its words and its errors; what refers to it loses its reference."""
        _DELETE.run(self.connection, {"key": message_id})

    def delete(self, gone: Message) -> None:
        """Erase the message as `remove` does, and keep its key so that a repeat is recognized."""
        self.remove(gone.id)
        _INSERT_DELETED.run(
            self.connection,
            {
                "channel_key": gone.channel_key,
                "key_digest": _digest(gone.message_key),
                "message_id": gone.id,
                "interaction_id": gone.interaction_id,
            },
        )

    def mark_read(self, interaction_id: int, now: datetime, up_to: int | None = None) -> None:
        """Mark the customer's messages as read, all or those up to a surrogate."""
        given = {"key": interaction_id, "now": now}
        if up_to is None:
            _MARK_READ.run(self.connection, given)
        else:
            _MARK_READ_UP_TO.run(self.connection, {**given, "up_to": up_to})

    def count_unread(self, interaction_id: int) -> int:
        """How many of the customer's messages have not been read."""
        return int(self._one(_COUNT_UNREAD, {"key": interaction_id})[0])

    def latest(self, interaction_id: int, *, of_customer: bool = False) -> Place | None:
        """The newest message, of the customer alone or of all."""
        row = self._one(_LATEST_OF_CUSTOMER if of_customer else _LATEST, {"key": interaction_id})
        return None if row is None else Place(row.id, row.sent_at)

    def latest_keys(self, interaction_id: int, *, until: datetime | None = None) -> Sequence[str]:
        """The keys of the interaction's latest messages, the newest first; with `until` without those that were stored
        or changed later."""
        rows = self._all(_LATEST_KEYS, {"key": interaction_id})
        return [row[0] for row in rows if until is None or row[1] <= until]

    def _with_error(self, stored: Message) -> Message:
        return stored if stored.error is None else self.add_error(stored, stored.error)

    def _is_there(self, interaction_id: int) -> bool:
        return self._one(_INTERACTION, {"key": interaction_id}) is not None


def _values(of: Message) -> dict[str, Any]:
    return {**written(of, _OWN), "words": stored_words(of.text)}


def _digest(message_key: str) -> str:
    return hashlib.sha256(message_key.encode()).hexdigest()


class Note(NamedTuple):
    """A note of the business on an interaction."""

    id: int
    interaction_id: int
    kind: str
    author_id: int | None
    text: str
    created_at: datetime
    updated_at: datetime


_NOTE = Fixed(sa.select(*note.columns.values()).where(note.c.id == _KEY))
_INSERT_NOTE = Fixed(sa.insert(note).returning(note.c.id))
_UPDATE_NOTE = Fixed(sa.update(note).where(note.c.id == _KEY))
_DELETE_NOTE = Fixed(sa.delete(note).where(note.c.id == _KEY))
_LATEST_NOTE = Fixed(
    sa.select(note.c.id)
    .where(note.c.interaction_id == _KEY)
    .order_by(note.c.created_at.desc(), note.c.id.desc())
    .limit(1)
)


class NoteRepository(Repository):
    """Notes; the customer never sees them."""

    def get(self, note_id: int) -> Note | None:
        """The note; None when there is none with this surrogate."""
        row = self._one(_NOTE, {"key": note_id})
        return None if row is None else Note(**row._asdict())

    def add(self, new: Note) -> Note:
        """Insert the note; the same with its surrogate."""
        values = new._asdict()
        del values["id"]
        return new._replace(id=self._one(_INSERT_NOTE, values)[0])

    def save(self, changed: Note) -> None:
        """Write the note's text."""
        values = {"key": changed.id, "text": changed.text, "updated_at": changed.updated_at}
        _UPDATE_NOTE.run(self.connection, values)

    def remove(self, note_id: int) -> None:
        """Delete the note, if it is there."""
        _DELETE_NOTE.run(self.connection, {"key": note_id})

    def latest(self, interaction_id: int) -> int | None:
        """The newest note's surrogate."""
        row = self._one(_LATEST_NOTE, {"key": interaction_id})
        return None if row is None else row[0]


def _message(row: Sequence[Any] | None) -> Message | None:
    return None if row is None else Message(id=row[0], **read_row(row[1:], _OWN))
