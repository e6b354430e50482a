"""What all kinds of interaction share: the interaction itself, messages, notes, search, who is looking."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, JsonValue, Timestamp

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _interaction()
    _message()
    _note()
    _viewer()
    _search()
    _history()


def downgrade() -> None:
    op.execute("DROP VIEW interaction_history")
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TABLE message_search")
    for name in ("viewer", "note", "message_error", "message", "interaction_tag", "interaction"):
        op.drop_table(name)


def _key() -> "sa.Column[int]":
    return sa.Column("id", BigId, sa.Identity(), primary_key=True)


def _of(target: str, name: str = "", *, ondelete: str | None = None, **kw: Any) -> "sa.Column[int]":
    return sa.Column(name or f"{target}_id", BigId, sa.ForeignKey(f"{target}.id", ondelete=ondelete), **kw)


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _interaction() -> None:
    op.create_table(
        "interaction",
        _key(),
        sa.Column("kind", sa.Text, nullable=False),
        _of("customer", ondelete="CASCADE"),
        _of("app_user", "assignee_id"),
        sa.Column("claimed_until", Timestamp),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("bot_active", sa.Boolean, nullable=False),
        sa.Column("labels", JsonValue, nullable=False),
        sa.Column("raised_level", sa.SmallInteger),
        sa.Column("attention_level", sa.SmallInteger),
        sa.Column("attention_reason", sa.Text),
        sa.Column("attention_reasons", JsonValue, nullable=False),
        sa.Column("attention_since", Timestamp),
        sa.Column("attention_deadline", Timestamp),
        _of("app_user", "acknowledged_by"),
        sa.Column("acknowledged_at", Timestamp),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("updated_at", Timestamp, nullable=False),
        sa.Column("last_message_at", Timestamp),
        sa.Column("latest_message_id", BigId),
        sa.Column("latest_customer_message_id", BigId),
        sa.Column("latest_note_id", BigId),
        sa.Column("unread_customer_messages_count", sa.Integer, nullable=False),
        sa.Column(
            "active_at",
            Timestamp,
            sa.Computed("coalesce(last_message_at, created_at)", persisted=True),
            nullable=False,
        ),
        sqlite_autoincrement=True,
    )
    for name, *columns in (
        ("active", "active_at"),
        ("kind", "kind", "active_at"),
        ("state", "state", "active_at"),
        ("assignee", "assignee_id", "active_at"),
        ("customer", "customer_id", "active_at"),
        ("created", "created_at"),
        ("updated", "updated_at"),
    ):
        op.create_index(f"ix_interaction_{name}", "interaction", [*columns, "id"])
    needed = "attention_level IS NOT NULL"
    _partial("ix_interaction_queue", "interaction", ["attention_level", "attention_since", "id"], needed)
    _partial("ix_interaction_claim", "interaction", ["claimed_until"], "claimed_until IS NOT NULL")
    op.create_table(
        "interaction_tag",
        sa.Column("interaction_id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_interaction_tag_value", "interaction_tag", ["name", "value", "interaction_id"])


def _message() -> None:
    op.create_table(
        "message",
        _key(),
        _of("interaction", ondelete="CASCADE", nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("message_key", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        _of("app_user", "user_id"),
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
        _of("message", "reference_id", ondelete="SET NULL"),
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
        sa.Column("words", sa.Text),
        sa.UniqueConstraint("message_key", name="uq_message_message_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_message_interaction", "message", ["interaction_id", "sent_at", "id"])
    unread = "author = 'CUSTOMER' AND status <> 'READ'"
    _partial("ix_message_unread", "message", ["interaction_id", "id"], unread)
    _partial("ix_message_reference", "message", ["reference_id"], "reference_id IS NOT NULL")
    op.create_table(
        "message_error",
        _key(),
        _of("message", ondelete="CASCADE", nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("original_message", sa.Text, nullable=False),
        sa.Column("created_at", Timestamp, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_message_error_message_id", "message_error", ["message_id"])


def _note() -> None:
    op.create_table(
        "note",
        _key(),
        _of("interaction", ondelete="CASCADE", nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        _of("app_user", "author_id"),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("updated_at", Timestamp, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_note_interaction", "note", ["interaction_id", "created_at", "id"])


def _viewer() -> None:
    op.create_table(
        "viewer",
        sa.Column("interaction_id", BigId, sa.ForeignKey("interaction.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("user_id", BigId, sa.ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("until", Timestamp, nullable=False),
        sqlite_with_rowid=False,
    )


def _search() -> None:
    # The words are cut and folded before they are stored, so neither database has a say in what a word is.
    if op.get_context().dialect.name == "postgresql":
        op.execute(
            "CREATE INDEX ix_message_words ON message USING gin (array_to_tsvector(string_to_array(words, ' ')))"
        )
        return
    op.execute(
        "CREATE VIRTUAL TABLE message_search USING fts5("
        "words, content='message', content_rowid='id', tokenize='ascii', detail='none', columnsize=0)"
    )
    op.execute(
        "CREATE TRIGGER message_search_insert AFTER INSERT ON message WHEN new.words IS NOT NULL "
        "BEGIN INSERT INTO message_search (rowid, words) VALUES (new.id, new.words); END"
    )
    op.execute(
        "CREATE TRIGGER message_search_delete AFTER DELETE ON message WHEN old.words IS NOT NULL "
        "BEGIN INSERT INTO message_search (message_search, rowid, words) VALUES ('delete', old.id, old.words); END"
    )


def _history() -> None:
    # What names an event is its place in its lane; an interaction's events are all in one. A page needs one key for
    # each row, and on SQLite, which has one lane, the row's own is the quickest.
    sqlite = op.get_context().dialect.name == "sqlite"
    key = "rowid" if sqlite else "position"
    changes = "json_extract(data, '$.changes')" if sqlite else "data -> 'changes'"
    message = "json_extract(data, '$.message_id')" if sqlite else "CAST(data ->> 'message_id' AS bigint)"
    note = "json_extract(data, '$.note_id')" if sqlite else "CAST(data ->> 'note_id' AS bigint)"
    op.execute(
        f"CREATE VIEW interaction_history AS SELECT {key} AS id, position, interaction_id, at, topic, kind, actor_id, "
        f"client_mutation_id, version, level_before, level_after, {changes} AS changes, {message} AS message_id, "
        f"{note} AS note_id FROM event_log WHERE interaction_id IS NOT NULL"
    )
