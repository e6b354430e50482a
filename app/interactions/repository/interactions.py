"""Reads and writes what all kinds share of an interaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from app.interactions.model import Attention, Facets, Interaction, Level, State
from app.interactions.repository.erasing import ErasingRepository
from app.interactions.repository.rows import differing, fields_of_row, written
from app.interactions.tables import interaction, interaction_tag
from app.interactions.waiting import Waiting
from app.storage.fixed import Fixed, write_together
from app.storage.repository import Repository

_OWN = fields_of_row(
    Interaction, [column.name for column in interaction.columns if column.name not in ("id", "active_at")]
)

COLUMNS: tuple[sa.Column[Any], ...] = (
    interaction.c.id,
    interaction.c.kind,
    interaction.c.customer_id,
    interaction.c.assignee_id,
    interaction.c.claimed_until,
    interaction.c.state,
    interaction.c.bot_active,
    interaction.c.labels,
    interaction.c.raised_level,
    interaction.c.version,
    interaction.c.created_at,
    interaction.c.updated_at,
    interaction.c.last_message_at,
    interaction.c.latest_message_id,
    interaction.c.latest_customer_message_id,
    interaction.c.latest_note_id,
    interaction.c.unread_customer_messages_count,
    interaction.c.attention_level,
    interaction.c.attention_reason,
    interaction.c.attention_reasons,
    interaction.c.attention_since,
    interaction.c.attention_deadline,
    interaction.c.acknowledged_by,
    interaction.c.acknowledged_at,
    interaction.c.due_at,
    interaction.c.waiting_since,
    interaction.c.unanswered_messages_count,
    interaction.c.answer_failed,
    interaction.c.settled_message_id,
    interaction.c.answered_lease,
    interaction.c.raised_note,
    interaction.c.attention_user_id,
    interaction.c.lease_answer_id,
    interaction.c.team_id,
    interaction.c.team_fixed,
    interaction.c.sync_trouble,
    interaction.c.sync_user_id,
    interaction.c.opened_at,
    interaction.c.first_waited_since,
)
"""What `common_arguments` reads, in its order."""

_DERIVED = (
    "attention_level",
    "attention_reason",
    "attention_reasons",
    "attention_since",
    "attention_deadline",
    "attention_user_id",
    "acknowledged_by",
    "acknowledged_at",
    "waiting_since",
    "unanswered_messages_count",
    "answer_failed",
    "settled_message_id",
)
_KEY: sa.BindParameter[int] = sa.bindparam("key")
_INSERT = Fixed(sa.insert(interaction).returning(interaction.c.id))
_UPDATE = Fixed(sa.update(interaction).where(interaction.c.id == _KEY))
_DELETE = Fixed(sa.delete(interaction).where(interaction.c.id == _KEY))
_INSERT_TAG = Fixed(sa.insert(interaction_tag))
_NAMES, _VALUES = (sa.bindparam(name, type_=postgresql.ARRAY(sa.Text)) for name in ("names", "values"))
_TAGS = sa.func.unnest(_NAMES, _VALUES).table_valued("name", "value", name="tag").render_derived()
_INSERT_TAGS = Fixed(
    postgresql.insert(interaction_tag).from_select(
        ["interaction_id", "name", "value"],
        sa.select(sa.cast(_KEY, sa.BigInteger), _TAGS.c.name, _TAGS.c.value).where(sa.true()),
    )
)
_DELETE_TAGS = Fixed(
    sa.delete(interaction_tag).where(
        interaction_tag.c.interaction_id == _KEY,
        sa.tuple_(interaction_tag.c.name, interaction_tag.c.value).in_(sa.select(_TAGS.c.name, _TAGS.c.value)),
    )
)
_DELETE_TAG = Fixed(
    sa.delete(interaction_tag).where(
        interaction_tag.c.interaction_id == _KEY,
        interaction_tag.c.name == sa.bindparam("list"),
        interaction_tag.c.value == sa.bindparam("old"),
    )
)
_OF_CUSTOMER = Fixed(
    sa.select(interaction.c.id, interaction.c.kind)
    .where(interaction.c.customer_id == sa.bindparam("key"))
    .order_by(interaction.c.id)
)
_KIND = Fixed(sa.select(interaction.c.kind).where(interaction.c.id == _KEY))

Change = tuple[str, Iterable[str], Iterable[str]]
"""What a list that filters read is called (`label`, `tag`, `topic`), with its values before and after."""


def common_arguments(row: Sequence[Any]) -> dict[str, Any]:
    """The arguments of a model that all kinds share, from a row that begins with COLUMNS."""
    raised, level = row[8], row[17]
    return {
        "id": row[0],
        "kind": row[1],
        "customer_id": row[2],
        "assignee_id": row[3],
        "team_id": row[33],
        "team_fixed": row[34],
        "claimed_until": row[4],
        "state": State(row[5]),
        "bot_active": row[6],
        "labels": tuple(row[7]),
        "raised_level": None if raised is None else Level(raised),
        "version": row[9],
        "created_at": row[10],
        "updated_at": row[11],
        "last_message_at": row[12],
        "latest_message_id": row[13],
        "latest_customer_message_id": row[14],
        "latest_note_id": row[15],
        "unread_customer_messages_count": row[16],
        "due_at": row[24],
        "answered_lease": row[29],
        "lease_answer_id": row[32],
        "raised_note": row[30],
        "sync_trouble": row[35],
        "sync_user_id": row[36],
        "opened_at": row[37],
        "first_waited_since": row[38],
        "waiting": Waiting(since=row[25], unanswered=row[26], failed=row[27], settled_id=row[28]),
        "attention": Attention(
            level=None if level is None else Level(level),
            reason=row[18],
            reasons=tuple(row[19]),
            since=row[20],
            deadline=row[21],
            user_id=row[31],
            acknowledged_by=row[22],
            acknowledged_at=row[23],
        ),
    }


def _derived(name: str) -> Callable[[Interaction], Any]:
    return lambda of: _derived_values(of)[name]


def _facet(name: str) -> Callable[[Interaction], Any]:
    return lambda of: getattr(of.facets, name)


COMMON: Mapping[str, Callable[[Any], Any]] = {
    "id": attrgetter("id"),
    **{field.name: field.value for field in _OWN},
    **{name: _derived(name) for name in _DERIVED},
    **{name: _facet(name) for name in Facets._fields},
}
"""What each common column is written with, of an interaction."""


class InteractionRepository(Repository):
    """The rows of the common table, of all kinds."""

    def kind_of(self, interaction_id: int) -> str | None:
        """The name of the interaction's kind; None when there is none."""
        row = self._one(_KIND, {"key": interaction_id})
        return None if row is None else row[0]

    def list_of_customer(self, customer_id: int) -> Sequence[tuple[int, str]]:
        """The surrogates and kinds of the customer's interactions, the oldest first."""
        return [(row.id, row.kind) for row in self._all(_OF_CUSTOMER, {"key": customer_id})]

    def add(self, new: Interaction) -> int:
        """Insert the common row with its labels; the new surrogate."""
        values = written(new, _OWN) | _derived_values(new) | new.facets._asdict()
        key = int(self._one(_INSERT, values)[0])
        self.write_lists(key, [("label", (), new.labels)])
        return key

    def add_many(self, new: Sequence[Interaction]) -> None:
        """Insert the common rows of interactions that come with their ids, without labels' rows."""
        rows = [
            {"id": each.id, **written(each, _OWN), **_derived_values(each), **each.facets._asdict()} for each in new
        ]
        self.connection.execute(sa.insert(interaction), rows)

    def save(self, before: Interaction, after: Interaction) -> None:
        """Write the common columns that differ."""
        values = differing(before, after, _OWN)
        if before.attention != after.attention or before.waiting != after.waiting:
            old = _derived_values(before)
            values.update({name: value for name, value in _derived_values(after).items() if value != old[name]})
        old_facets, facets = before.facets, after.facets
        if facets != old_facets:
            values.update(
                {name: new for name, old, new in zip(Facets._fields, old_facets, facets, strict=True) if new != old}
            )
        if values:
            _UPDATE.write(self.connection, {"key": after.id, **values})
        if before.labels != after.labels:
            self.write_lists(after.id, [("label", before.labels, after.labels)])

    def delete(self, interaction_id: int) -> None:
        """Delete the interaction with its kind's row. Its messages and notes become invisible and are erased later."""
        _DELETE.run(self.connection, {"key": interaction_id})
        ErasingRepository(self.connection).begin_interaction(interaction_id)

    def add_tags(self, tags: Sequence[tuple[int, str, str]]) -> None:
        """Insert rows that filters read: (interaction, list, value)."""
        rows = [{"interaction_id": key, "name": name, "value": value} for key, name, value in tags]
        _INSERT_TAG.run_many(self.connection, rows)

    def write_lists(self, interaction_id: int, changes: Iterable[Change]) -> None:
        """Update the rows that filters read to the current values of the lists."""
        gone: list[tuple[str, str]] = []
        come: list[tuple[str, str]] = []
        for name, before, after in changes:
            old, new = set(before), set(after)
            gone += [(name, value) for value in sorted(old - new)]
            come += [(name, value) for value in sorted(new - old)]
        if self.dialect_name == "sqlite":
            _DELETE_TAG.run_many(
                self.connection, [{"key": interaction_id, "list": name, "old": value} for name, value in gone]
            )
            self.add_tags([(interaction_id, name, value) for name, value in come])
            return
        writes = []
        for statement, tags in ((_DELETE_TAGS, gone), (_INSERT_TAGS, come)):
            if tags:
                names, values = map(list, zip(*tags, strict=True))
                writes.append((statement, {"key": interaction_id, "names": names, "values": values}))
        write_together(self.connection, writes)


def _derived_values(of: Interaction) -> dict[str, Any]:
    attention, waiting = of.attention, of.waiting
    values = (
        None if attention.level is None else int(attention.level),
        attention.reason,
        list(attention.reasons),
        attention.since,
        attention.deadline,
        attention.user_id,
        attention.acknowledged_by,
        attention.acknowledged_at,
        waiting.since,
        waiting.unanswered,
        waiting.failed,
        waiting.settled_id,
    )
    return dict(zip(_DERIVED, values, strict=True))
