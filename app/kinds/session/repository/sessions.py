"""Sessions and their suggested messages: rows in, models out."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.connections.tables import cannot_of
from app.directory.tables import customer
from app.interactions.repository.kinds import KindRepository
from app.interactions.tables import interaction
from app.kinds.session.model import ContentType, Session, SuggestedMessage
from app.kinds.session.tables import session, suggested_message
from app.storage.fixed import Fixed
from app.storage.tables import Timestamp

_SUGGESTION: tuple[sa.Column[Any], ...] = (
    suggested_message.c.id,
    suggested_message.c.suggestion_key,
    suggested_message.c.remote_id,
    suggested_message.c.content,
    suggested_message.c.content_type,
    suggested_message.c.selected_count,
)
_SUGGESTIONS = Fixed(
    sa.select(*_SUGGESTION)
    .where(suggested_message.c.session_id == sa.bindparam("key"))
    .order_by(suggested_message.c.place, suggested_message.c.id)
)
_SESSION_OF = Fixed(sa.select(suggested_message.c.session_id).where(suggested_message.c.id == sa.bindparam("key")))
_BY_SESSION_KEY = Fixed(sa.select(session.c.id).where(session.c.session_key == sa.bindparam("key")))
_BY_KEY = Fixed(sa.select(suggested_message.c.id).where(suggested_message.c.suggestion_key == sa.bindparam("key")))
_INSERT = Fixed(sa.insert(suggested_message))
_UPDATE = Fixed(sa.update(suggested_message).where(suggested_message.c.id == sa.bindparam("key")))
_DELETE = Fixed(sa.delete(suggested_message).where(suggested_message.c.id == sa.bindparam("key")))
_SELECT_ONE_MORE = Fixed(
    sa.update(suggested_message)
    .where(suggested_message.c.id == sa.bindparam("key"))
    .values(selected_count=suggested_message.c.selected_count + 1)
    .returning(suggested_message.c.selected_count)
)


class SessionRepository(KindRepository[Session]):
    """Named queries over Sessions."""

    table = session
    model = Session
    lists = {"tags": "tag", "topics": "topic"}  # noqa: RUF012 - declared by the base
    related = {  # noqa: RUF012 - declared by the base
        "unsubscribed": sa.func.coalesce(customer.c.unsubscribed, sa.false()),
        "has_number": sa.func.coalesce(customer.c.phone_number, customer.c.unconfirmed_phone_number).is_not(None),
        "cannot": cannot_of(interaction),
    }

    @classmethod
    def source(cls) -> sa.FromClause:
        return super().source().outerjoin(customer, customer.c.id == interaction.c.customer_id)

    def others(self, interaction_id: int) -> Mapping[str, Any]:
        # Only one command needs the suggested messages, so they are not read here.
        return {}

    def current(self, customer_id: int, since: datetime) -> Session | None:
        """Lock and read the customer's current Session: the latest that is flagged, has a message after `since`, or
        whose customer has waited since then, or waits for the user who holds it."""
        statement = self._select.where(
            interaction.c.customer_id == sa.bindparam("customer"),
            sa.or_(
                session.c.need_attention,
                interaction.c.active_at > sa.bindparam("since", type_=Timestamp),
                interaction.c.waiting_since > sa.bindparam("since", type_=Timestamp),
                sa.and_(interaction.c.assignee_id.is_not(None), interaction.c.waiting_since.is_not(None)),
            ),
        )
        latest = statement.order_by(interaction.c.active_at.desc(), interaction.c.id.desc()).limit(1)
        return self._whole(self._one(latest, {"customer": customer_id, "since": since}))

    def add(self, new: Session) -> Session:
        stored = super().add(new)
        self._write_suggestions(stored.id, stored.suggested_messages or ())
        return stored

    def save(self, before: Session, after: Session) -> None:
        super().save(before, after)
        if after.suggested_messages is not None:
            kept = {suggestion.id for suggestion in after.suggested_messages}
            gone = [{"key": old.id} for old in self.suggestions(after.id) if old.id not in kept]
            _DELETE.run_many(self.connection, gone)
            self._write_suggestions(after.id, after.suggested_messages)

    def suggestions(self, session_id: int) -> tuple[SuggestedMessage, ...]:
        """The Session's suggested messages in their order."""
        return tuple(
            SuggestedMessage(
                id=row.id,
                suggestion_key=row.suggestion_key,
                remote_id=row.remote_id,
                content=row.content,
                content_type=ContentType(row.content_type),
                selected_count=row.selected_count,
            )
            for row in self._all(_SUGGESTIONS, {"key": session_id})
        )

    def has_key(self, session_key: str) -> bool:
        """Whether there is a Session with the contract's own key."""
        return self._one(_BY_SESSION_KEY, {"key": session_key}) is not None

    def session_of(self, suggestion_id: int) -> int | None:
        """The surrogate of the Session in which a message is suggested."""
        row = self._one(_SESSION_OF, {"key": suggestion_id})
        return None if row is None else row[0]

    def suggestion_by_key(self, key: str) -> int | None:
        """The surrogate of the suggested message with the contract's own key."""
        row = self._one(_BY_KEY, {"key": key})
        return None if row is None else row[0]

    def select_suggestion(self, suggestion_id: int) -> int:
        """Count one more use of a suggested message. Returns the new count."""
        return int(self._one(_SELECT_ONE_MORE, {"key": suggestion_id})[0])

    def _write_suggestions(self, session_id: int, wanted: Sequence[SuggestedMessage]) -> None:
        new, known = [], []
        for place, suggestion in enumerate(wanted):
            values = {
                "place": place,
                "content": suggestion.content,
                "content_type": suggestion.content_type.value,
            }
            if suggestion.id is not None:
                known.append({"key": suggestion.id, **values})
            else:
                new.append(
                    {
                        **values,
                        "session_id": session_id,
                        "suggestion_key": suggestion.suggestion_key,
                        "remote_id": suggestion.remote_id,
                        "selected_count": suggestion.selected_count,
                    }
                )
        _UPDATE.run_many(self.connection, known)
        _INSERT.run_many(self.connection, new)
