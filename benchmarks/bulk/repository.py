"""Writes messages by the thousand: rows without a model each, in the drivers' own form."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

import sqlalchemy as sa

from app.interactions.messages import MessageErrorType, MessageSource
from app.interactions.repository.messages import Note
from app.interactions.repository.words import stored_words
from app.interactions.tables import message, message_error, note
from app.storage.repository import Repository
from app.storage.tables import Timestamp


class BulkMessage(NamedTuple):
    """A message with its surrogate. `contents` is the JSON text of its contents; enums are their names.

    It was created, updated and, if `delivered`, delivered when it was sent."""

    id: int
    interaction_id: int
    kind: str
    channel_key: str
    message_key: str
    author: str
    user_id: int | None
    contents: str
    text: str | None
    status: str
    sent_at: datetime
    delivered: bool
    agent_reaction: str | None = None
    customer_reaction: str | None = None
    reference_id: int | None = None
    latest_error_id: int | None = None
    message_type: str | None = None
    special_type: str | None = None
    author_name: str | None = None
    read_by_customer: bool | None = None
    event_type: str | None = None
    bearing: str | None = None


class BulkError(NamedTuple):
    """Why a message was not delivered, in the channel's own words; with its surrogate."""

    id: int
    message_id: int
    original_message: str
    created_at: datetime


_COLUMNS = (
    *("delivered_at" if name == "delivered" else name for name in BulkMessage._fields),
    *("created_at", "updated_at", "words", "source"),
)
_SENT, _DELIVERED = (BulkMessage._fields.index(name) for name in ("sent_at", "delivered"))
_TABLE_ORDER = [column.name for column in message.columns if column.name in _COLUMNS]
_IN_TABLE_ORDER = itemgetter(*(_COLUMNS.index(name) for name in _TABLE_ORDER))
_INSERT = sa.insert(message)


class BulkRepository(Repository):
    """A bulk load of what hangs on interactions; it writes no events."""

    def add_messages(self, rows: Sequence[BulkMessage]) -> None:
        """Insert messages with the words they are found by. Their errors have to follow in the same unit."""
        sql = str(_INSERT.compile(dialect=self.connection.dialect, column_keys=list(_COLUMNS)))
        if rows:
            self.connection.exec_driver_sql(sql, list(self._driver_rows(rows)))

    def add_errors(self, rows: Sequence[BulkError]) -> None:
        """Insert the errors of messages."""
        if rows:
            values = [{**row._asdict(), "type": MessageErrorType.OTHER.value} for row in rows]
            self.connection.execute(sa.insert(message_error), values)

    def add_notes(self, rows: Sequence[Note]) -> None:
        """Insert notes that come with their surrogates."""
        if rows:
            self.connection.execute(sa.insert(note), [row._asdict() for row in rows])

    def _driver_rows(self, rows: Iterable[BulkMessage]) -> Iterator[tuple[object, ...]]:
        bind = Timestamp().bind_processor(self.connection.dialect)
        for row in rows:
            values: list[object] = list(row)
            sent_at = values[_SENT] = bind(row.sent_at)
            values[_DELIVERED] = sent_at if row.delivered else None
            values += (sent_at, sent_at, _folded(row.text), MessageSource.USER.value)
            yield _IN_TABLE_ORDER(values)


@lru_cache(maxsize=8192)
def _folded(text: str | None) -> str | None:
    """What is searched of the text. Texts repeat in a bulk load, and folding one costs more than to store it."""
    return stored_words(text)
