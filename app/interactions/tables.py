"""The tables that all kinds share; only the slice's repository uses them."""

from collections.abc import Sequence

import sqlalchemy as sa

from app.storage.tables import BigId, JsonValue, Timestamp, surrogate_key, table

UNREAD = "unread_customer_messages_count > 0"
"""That messages of the customer are unread, as the partial indexes spell it."""


def _partial(name: str, *columns: str, where: str) -> sa.Index:
    return sa.Index(name, *columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


_QUEUE = ("attention_level", "attention_since")


def _facet_indexes(name: str) -> Sequence[sa.Index]:
    """A facet's rows in the orders of lists and of the queue."""

    def index(order: str, columns: Sequence[str], present: str) -> sa.Index:
        return _partial(f"ix_interaction_{name}_{order}", name, *columns, "id", where=f"{present} IS NOT NULL")

    listed = [index(order, [f"{order}_at"], name) for order in ("active", "created")]
    return [*listed, index("queue", _QUEUE, _QUEUE[0])]


def _unread_index(*columns: str) -> sa.Index:
    return _partial(f"ix_interaction_unread_{columns[0].removesuffix('_at')}", *columns, where=UNREAD)


interaction = table(
    "interaction",
    surrogate_key(),
    sa.Column("kind", sa.Text, nullable=False),
    # A customer's data is erased with the customer.
    sa.Column("customer_id", BigId, sa.ForeignKey("customer.id", ondelete="CASCADE")),
    sa.Column("assignee_id", BigId, sa.ForeignKey("app_user.id")),
    # 0 for no team, so that indexes cover those as any other team's.
    sa.Column("team_id", BigId, nullable=False, server_default=sa.text("0")),
    # Assigned by hand: borders of teams do not move it.
    sa.Column("team_fixed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("claimed_until", Timestamp),
    sa.Column("answered_lease", Timestamp),
    sa.Column("lease_answer_id", BigId),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("bot_active", sa.Boolean, nullable=False),
    sa.Column("labels", JsonValue, nullable=False),
    sa.Column("waiting_since", Timestamp),
    sa.Column("unanswered_messages_count", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("answer_failed", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("settled_message_id", BigId),
    sa.Column("raised_level", sa.SmallInteger),
    sa.Column("raised_note", sa.Text),
    sa.Column("attention_level", sa.SmallInteger),
    sa.Column("attention_reason", sa.Text),
    sa.Column("attention_reasons", JsonValue, nullable=False),
    sa.Column("attention_since", Timestamp),
    sa.Column("attention_deadline", Timestamp),
    # The user who is asked, where that is not the assignee.
    sa.Column("attention_user_id", BigId),
    sa.Column("acknowledged_by", BigId, sa.ForeignKey("app_user.id")),
    sa.Column("acknowledged_at", Timestamp),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Column("last_message_at", Timestamp),
    # The latest rows are named without a foreign key: it would make every message check the one before it.
    sa.Column("latest_message_id", BigId),
    sa.Column("latest_customer_message_id", BigId),
    sa.Column("latest_note_id", BigId),
    sa.Column("unread_customer_messages_count", sa.Integer, nullable=False),
    sa.Column("due_at", Timestamp),
    # The kind's own, again (`Facets`): lists of all kinds are narrowed by them in their order, by an index each.
    sa.Column("status", sa.Text),
    sa.Column("channel", sa.Text),
    sa.Column("account", sa.Text),
    sa.Column("contract_key", sa.Text),
    # What could not be done in the connected system, REFUSED or UNCERTAIN, and who had asked for it.
    sa.Column("sync_trouble", sa.Text),
    sa.Column("sync_user_id", BigId),
    # What reports measure from; neither is shown.
    sa.Column("opened_at", Timestamp),
    sa.Column("first_waited_since", Timestamp),
    # How often in a row what was due could not be done.
    sa.Column("due_failures", sa.SmallInteger, nullable=False, server_default=sa.text("0")),
    # What lists are ordered by: never null, as a place in an order must not be.
    sa.Column(
        "active_at", Timestamp, sa.Computed("coalesce(last_message_at, created_at)", persisted=True), nullable=False
    ),
    sa.Index("ix_interaction_active", "active_at", "id"),
    *(
        sa.Index(f"ix_interaction_{name}_{order}", *columns, "kind", "state", f"{order}_at", "id")
        for name, columns in (("part", ()), ("team", ("team_id",)))
        for order in ("active", "created", "updated")
    ),
    sa.Index("ix_interaction_assignee", "assignee_id", "active_at", "id"),
    sa.Index("ix_interaction_customer", "customer_id", "active_at", "id"),
    sa.Index("ix_interaction_created", "created_at", "id"),
    sa.Index("ix_interaction_updated", "updated_at", "id"),
    *(index for name in ("status", "channel", "account") for index in _facet_indexes(name)),
    sa.Index("ix_interaction_contract_key", "contract_key"),
    _unread_index("active_at", "id"),
    _unread_index("account"),
    *(
        sa.Index(
            f"ix_interaction_{name}",
            *columns,
            *_QUEUE,
            "id",
            sqlite_where=sa.text("attention_level IS NOT NULL"),
            postgresql_where=sa.text("attention_level IS NOT NULL"),
        )
        for name, columns in (("queue", ()), ("part_queue", ("kind",)), ("team_queue", ("team_id", "kind")))
    ),
    _partial("ix_interaction_due", "due_at", "id", where="due_at IS NOT NULL"),
)

interaction_tag = sa.Table(
    "interaction_tag",
    interaction.metadata,
    sa.Column("interaction_id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Index("ix_interaction_tag_value", "name", "value", "interaction_id"),
    sqlite_with_rowid=False,
)

message = table(
    "message",
    surrogate_key(),
    # Without a foreign key: the messages of a deleted interaction are erased a few at a time (`erasing`).
    sa.Column("interaction_id", BigId, nullable=False),
    # The interaction's kind again, so that a message alone says who may see it.
    sa.Column("kind", sa.Text, nullable=False),
    # What gives out message keys: a channel agent, an AI agent, or all of the kind.
    sa.Column("channel_key", sa.Text, nullable=False),
    sa.Column("message_key", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("user_id", BigId, sa.ForeignKey("app_user.id")),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("contents", JsonValue, nullable=False),
    sa.Column("text", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("sent_at", Timestamp, nullable=False),
    sa.Column("delivered_at", Timestamp),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Column("agent_reaction", sa.Text),
    sa.Column("customer_reaction", sa.Text),
    sa.Column("reference_id", BigId, sa.ForeignKey("message.id", ondelete="SET NULL")),
    sa.Column("campaign_id", BigId),
    sa.Column("campaign_name", sa.Text),
    sa.Column("latest_error_id", BigId),
    sa.Column("message_type", sa.Text),
    sa.Column("special_type", sa.Text),
    sa.Column("special_param", sa.Text),
    sa.Column("author_name", sa.Text),
    sa.Column("read_by_customer", sa.Boolean),
    sa.Column("event_type", sa.Text),
    sa.Column("hidden", sa.Boolean),
    # What it means to the customer's wait: ASKS, ANSWERS, or nothing.
    sa.Column("bearing", sa.Text),
    # The entries by which the text is found, space between.
    sa.Column("words", sa.Text),
    sa.Index("uq_message_key", "channel_key", "message_key", unique=True),
    sa.Index("ix_message_interaction", "interaction_id", "sent_at", "id"),
    _partial("ix_message_unread", "interaction_id", "id", where="author = 'CUSTOMER' AND status <> 'READ'"),
    # By arrival, which is the order of ids; a message is in one of the two at most.
    _partial("ix_message_asks", "interaction_id", "id", where="bearing = 'ASKS'"),
    _partial("ix_message_answers", "interaction_id", "id", where="bearing = 'ANSWERS'"),
    _partial("ix_message_reference", "reference_id", where="reference_id IS NOT NULL"),
)

deleted_message = sa.Table(
    "deleted_message",
    interaction.metadata,
    # So that a repeat of a message that was deleted does not bring it back. Erased with its interaction.
    sa.Column("channel_key", sa.Text, primary_key=True),
    # The digest of the key, which may be made of a customer's words.
    sa.Column("key_digest", sa.Text, primary_key=True),
    sa.Column("message_id", BigId, nullable=False),
    sa.Column("interaction_id", BigId, nullable=False),
    sa.Index("ix_deleted_message_interaction", "interaction_id"),
    sqlite_with_rowid=False,
)

message_error = table(
    "message_error",
    surrogate_key(),
    sa.Column("message_id", BigId, sa.ForeignKey("message.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("original_message", sa.Text, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
)

note = table(
    "note",
    surrogate_key(),
    # Without a foreign key, as messages.
    sa.Column("interaction_id", BigId, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("author_id", BigId, sa.ForeignKey("app_user.id")),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Index("ix_note_interaction", "interaction_id", "created_at", "id"),
)

watch = sa.Table(
    "watch",
    interaction.metadata,
    # Leases, which end soon: without foreign keys, so that one of somebody or something that is gone spoils no batch.
    sa.Column("subject", BigId, primary_key=True, autoincrement=False),
    sa.Column("user_id", BigId, primary_key=True, autoincrement=False),
    sa.Column("holder", sa.Text, primary_key=True),
    sa.Column("listeners", sa.Integer, nullable=False),
    sa.Column("until", Timestamp, nullable=False),
    sqlite_with_rowid=False,
)

erasing = sa.Table(
    "erasing",
    interaction.metadata,
    # What was deleted and is not erased yet, see `erased`.
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("number", BigId, primary_key=True, autoincrement=False),
    sa.Column("place", BigId, nullable=False),
    sqlite_with_rowid=False,
)

erasure = sa.Table(
    "erasure",
    interaction.metadata,
    # Outlives its customer. After a restored backup a surrogate may be given out again: with the time it is one person.
    sa.Column("customer_id", BigId, primary_key=True, autoincrement=False),
    sa.Column("customer_created_at", Timestamp, primary_key=True),
    sa.Column("erased_at", Timestamp, nullable=False),
    sa.Column("finished_at", Timestamp),
    sqlite_with_rowid=False,
)

mark = table(
    "mark",
    surrogate_key(),
    # What a change adds to the figures of reports: times and numbers alone, so it stays when its customer is erased.
    sa.Column("interaction_id", BigId, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("team_id", BigId, nullable=False),
    sa.Column("user_id", BigId),
    sa.Column("account", sa.Text),
    sa.Column("at", Timestamp, nullable=False),
    # A wait that ended, and how.
    sa.Column("waited_since", Timestamp),
    sa.Column("outcome", sa.Text),
    sa.Column("is_first", sa.Boolean, nullable=False),
    # Closing what was opened then.
    sa.Column("opened_at", Timestamp),
    sa.Column("reopened", sa.Boolean, nullable=False),
    sa.Column("missed", sa.Boolean, nullable=False),
    # Whether the answer still stands; whether the figures have yet to be told, and what of the wait they have.
    sa.Column("stands", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("due", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("counted", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("waited_ms", BigId),
    sa.Column("within_target", sa.Boolean),
    _partial("ix_mark_wait", "interaction_id", "waited_since", where="waited_since IS NOT NULL"),
    _partial("ix_mark_due", "id", where="due"),
)
