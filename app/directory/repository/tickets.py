"""The tickets by which streams begin."""

from collections.abc import Collection, Generator, Sequence
from dataclasses import fields
from datetime import datetime

import sqlalchemy as sa

from app.core.errors import AlreadyExists
from app.directory.model import ApiKey, User
from app.directory.model.ticket import StreamTicket
from app.directory.repository.lookup import model_of
from app.directory.repository.rows import Rows
from app.directory.repository.users import ApiKeyRepository, UserRepository
from app.directory.tables import api_key, app_user, stream_ticket
from app.selection.sql import SqlCompiler
from app.storage.query import Query, Row

_TICKET_COLUMNS = [stream_ticket.c[field.name] for field in fields(StreamTicket)]
_USER_COLUMNS = [app_user.c[field.name] for field in fields(User)]
_KEY_COLUMNS = [api_key.c[field.name] for field in fields(ApiKey)]
_FORGOTTEN_AT_ONCE = 1_000


class TicketRepository(Rows[StreamTicket]):
    """Named queries over tickets."""

    model = StreamTicket
    rows = stream_ticket
    readers = {"permissions": tuple, "team_ids": tuple}  # noqa: RUF012 - declared by the base

    def taken(self, model: StreamTicket) -> AlreadyExists:
        return AlreadyExists("There already is such a ticket.")

    def count_usable(self, user_id: int, now: datetime) -> int:
        """How many tickets of the user can begin or resume a stream."""
        statement = sa.select(sa.func.count()).where(stream_ticket.c.user_id == user_id, sa.not_(_dead(now)))
        return int(self.connection.execute(statement).scalar_one())

    def drop_oldest_begun(self, user_id: int) -> bool:
        """Delete the ticket of the user's oldest stream. Returns whether there was one."""
        begun = sa.select(stream_ticket.c.id).where(
            stream_ticket.c.user_id == user_id, stream_ticket.c.request.is_not(None)
        )
        oldest = begun.order_by(stream_ticket.c.id).limit(1).scalar_subquery()
        return self.connection.execute(sa.delete(stream_ticket).where(stream_ticket.c.id == oldest)).rowcount == 1

    def erase_of(self, user_id: int) -> None:
        """Delete all tickets of the user."""
        self.connection.execute(sa.delete(stream_ticket).where(stream_ticket.c.user_id == user_id))

    def erase(self, numbers: Collection[int]) -> None:
        """Erase these tickets."""
        self.connection.execute(sa.delete(stream_ticket).where(stream_ticket.c.id.in_(numbers)))

    def begin(self, number: int, request: str) -> str | None:
        """Bind the ticket to the request unless it is bound already. Returns the request it is bound to; None without a
        ticket."""
        mine = stream_ticket.c.id == number
        unbound = sa.update(stream_ticket).where(mine, stream_ticket.c.request.is_(None))
        self.connection.execute(unbound.values(request=request))
        row = self._one(sa.select(stream_ticket.c.request).where(mine))
        return None if row is None else str(row.request)

    def forget(self, now: datetime) -> bool:
        """Delete tickets that can no longer be used. Returns whether more of them may be left."""
        found = sa.select(stream_ticket.c.id).where(_dead(now)).limit(_FORGOTTEN_AT_ONCE)
        erased = self.connection.execute(sa.delete(stream_ticket).where(stream_ticket.c.id.in_(found)))
        return erased.rowcount == _FORGOTTEN_AT_ONCE


class TicketLookup:
    """The plan that finds a ticket, for one database."""

    def __init__(self, dialect: sa.Dialect) -> None:
        found = (
            sa.select(*_TICKET_COLUMNS, *_USER_COLUMNS, *_KEY_COLUMNS)
            .join(app_user, app_user.c.id == stream_ticket.c.user_id)
            .outerjoin(api_key, api_key.c.id == stream_ticket.c.key_id)
            .where(stream_ticket.c.digest == sa.bindparam("digest", type_=sa.Text))
        )
        self._by_digest = SqlCompiler(dialect).statement(found)
        self._ticket_of = model_of(StreamTicket, _TICKET_COLUMNS, TicketRepository.readers, dialect)
        self._user_of = model_of(User, _USER_COLUMNS, UserRepository.readers, dialect)
        self._key_of = model_of(ApiKey, _KEY_COLUMNS, ApiKeyRepository.readers, dialect)

    def ticket(self, digest: str) -> Generator[Query, Sequence[Row], tuple[StreamTicket, User, ApiKey | None] | None]:
        """The ticket, its user, and the key that it was made with; None when there is no such ticket."""
        rows = yield self._by_digest.query({"digest": digest})
        if not rows:
            return None
        row = tuple(rows[0])
        place, end = len(_TICKET_COLUMNS), len(_TICKET_COLUMNS) + len(_USER_COLUMNS)
        ticket, user = self._ticket_of(row[:place]), self._user_of(row[place:end])
        return ticket, user, None if ticket.key_id is None else self._key_of(row[end:])


def _dead(now: datetime) -> sa.ColumnElement[bool]:
    never_begun = sa.and_(stream_ticket.c.request.is_(None), stream_ticket.c.begins_before <= now)
    return sa.or_(stream_ticket.c.ends_at <= now, never_begun)
