"""What lists of all kinds are narrowed by, beside the columns that all kinds share."""

from functools import partial

import sqlalchemy as sa
from alembic import op

from app.storage.migrations.steps import ROWS, Steps

revision = "0017"
down_revision = "0016"

_COLUMNS = ("status", "channel", "account", "contract_key")
_OF_KINDS = {
    "session": ("NULL", "NULL", "NULL", "session_key"),
    "agent_session": ("status", "NULL", "'aia_' || agent_id", "agent_session_key"),
    "chat_session": ("status", "NULL", "'top_' || topic_id", "CAST(chat_session_id AS TEXT)"),
    "conversation": ("status", "channel", "'cha_' || channel_agent_id", "CAST(conversation_id AS TEXT)"),
}
_UNREAD = "unread_customer_messages_count > 0"
_UNREAD_CONVERSATION = f"kind = 'conversation' AND {_UNREAD}"
_INDEXES: dict[str, tuple[list[str], str | None]] = {
    **{
        f"{name}_{order}": ([name, *columns, "id"], f"{present or name} IS NOT NULL")
        for name in ("status", "channel", "account")
        for order, columns, present in (
            ("active", ["active_at"], None),
            ("created", ["created_at"], None),
            ("queue", ["attention_level", "attention_since"], "attention_level"),
        )
    },
    "contract_key": (["contract_key"], None),
    "unread_active": (["active_at", "id"], _UNREAD),
    "unread_account": (["account"], _UNREAD),
}


def upgrade() -> None:
    steps = Steps()
    steps.once("columns", _add_columns)
    for kind, values in _OF_KINDS.items():
        steps.rows(kind, kind, _filling(kind, values))
    for name in _INDEXES:
        steps.once(f"index {name}", partial(_add_index, name))
    steps.once("older index", _drop_older_index)


def downgrade() -> None:
    where = sa.text(_UNREAD_CONVERSATION)
    op.create_index(
        "ix_interaction_unread_conversation", "interaction", ["id"], sqlite_where=where, postgresql_where=where
    )
    for name in _INDEXES:
        op.drop_index(f"ix_interaction_{name}", "interaction")
    for name in _COLUMNS:
        op.drop_column("interaction", name)


def _add_columns() -> None:
    for name in _COLUMNS:
        op.add_column("interaction", sa.Column(name, sa.Text))


def _filling(kind: str, values: tuple[str, ...]) -> str:
    own = ", ".join(f"{value} AS own_{name}" for name, value in zip(_COLUMNS, values, strict=True))
    assigned = ", ".join(f"{name} = {_cast(f'own_{name}')}" for name in _COLUMNS)
    return (
        f"UPDATE interaction SET {assigned} FROM (SELECT id AS own_id, {own} FROM {kind} WHERE {ROWS}) AS own "
        "WHERE own_id = interaction.id"
    )


def _cast(value: str) -> str:
    return f"CAST({value} AS TEXT)"


def _add_index(name: str) -> None:
    columns, where = _INDEXES[name]
    partly = None if where is None else sa.text(where)
    op.create_index(f"ix_interaction_{name}", "interaction", columns, sqlite_where=partly, postgresql_where=partly)


def _drop_older_index() -> None:
    op.drop_index("ix_interaction_unread_conversation", "interaction")
    if op.get_context().dialect.name == "postgresql":
        op.execute("ANALYZE interaction")
