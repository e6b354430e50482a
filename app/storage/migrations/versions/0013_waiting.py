"""Since when customers wait for an answer, computed for what is stored."""

from collections.abc import Iterator

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, Timestamp

revision = "0013"
down_revision = "0012"

_AT_ONCE = 20_000

# Of a bot that is not in charge any more it is not known when it lost the charge: then its messages answer nothing.
_BEARING = """UPDATE message SET bearing = CASE
  WHEN author = 'CUSTOMER' THEN 'ASKS'
  WHEN author = 'USER' AND coalesce(message_type, 'TO_CUSTOMER') = 'TO_CUSTOMER'
    AND coalesce(special_type, 'NONE') NOT IN ('WELCOME', 'ERROR') THEN 'ANSWERS'
  WHEN author IN ('BOT', 'AI_AGENT') AND EXISTS (
    SELECT 1 FROM interaction WHERE interaction.id = message.interaction_id AND interaction.bot_active) THEN 'ANSWERS'
  END WHERE id BETWEEN :first AND :last"""
_ANSWERED = """coalesce((SELECT max(id) FROM message WHERE interaction_id = interaction.id AND bearing = 'ANSWERS'
  AND status <> 'ERROR'), 0)"""
_FAILED = """coalesce((SELECT status = 'ERROR' FROM message WHERE interaction_id = interaction.id
  AND bearing = 'ANSWERS' ORDER BY id DESC LIMIT 1), false)"""
# Who closed an interaction has seen it. What is open is derived anew at the first start, when its deadline comes up.
_OPEN = f"""UPDATE interaction SET
  waiting_since = (SELECT created_at FROM message WHERE interaction_id = interaction.id AND bearing = 'ASKS'
    AND id > {_ANSWERED} ORDER BY id LIMIT 1),
  unanswered_messages_count = (SELECT count(*) FROM (SELECT 1 FROM message WHERE interaction_id = interaction.id
    AND bearing = 'ASKS' AND id > {_ANSWERED} LIMIT 1000) AS unanswered),
  answer_failed = {_FAILED},
  due_at = created_at
  WHERE state <> 'CLOSED' AND id BETWEEN :first AND :last"""
_CLOSED = f"""UPDATE interaction SET answer_failed = {_FAILED}, settled_message_id = (
  SELECT max(id) FROM message WHERE interaction_id = interaction.id AND bearing = 'ASKS' AND id > {_ANSWERED})
  WHERE state = 'CLOSED' AND id BETWEEN :first AND :last"""


def upgrade() -> None:
    op.add_column("interaction", sa.Column("answered_lease", Timestamp))
    op.add_column("interaction", sa.Column("raised_note", sa.Text))
    op.add_column("interaction", sa.Column("waiting_since", Timestamp))
    count = sa.Column("unanswered_messages_count", sa.Integer, nullable=False, server_default=sa.text("0"))
    op.add_column("interaction", count)
    op.add_column("interaction", sa.Column("answer_failed", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("interaction", sa.Column("settled_message_id", BigId))
    op.add_column("interaction", sa.Column("attention_user_id", BigId))
    op.add_column("conversation", sa.Column("woken", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("message", sa.Column("bearing", sa.Text))
    held = "kind = 'agent_session' AND state <> 'CLOSED' AND assignee_id IS NOT NULL"
    op.execute(f"UPDATE interaction SET bot_active = false WHERE {held}")
    for first, last in _ranges("message"):
        op.get_bind().execute(sa.text(_BEARING), {"first": first, "last": last})
    _partial("ix_message_asks", "bearing = 'ASKS'")
    _partial("ix_message_answers", "bearing = 'ANSWERS'")
    if op.get_context().dialect.name == "postgresql":
        op.execute("ANALYZE message")
    for first, last in _ranges("interaction"):
        for statement in (_OPEN, _CLOSED):
            op.get_bind().execute(sa.text(statement), {"first": first, "last": last})
    _rename_reason("UNREAD", "CUSTOMER_WAITING")


def downgrade() -> None:
    _rename_reason("CUSTOMER_WAITING", "UNREAD")
    op.drop_index("ix_message_answers", "message")
    op.drop_index("ix_message_asks", "message")
    op.drop_column("message", "bearing")
    op.drop_column("conversation", "woken")
    for name in (
        "attention_user_id",
        "settled_message_id",
        "answer_failed",
        "unanswered_messages_count",
        "waiting_since",
        "raised_note",
        "answered_lease",
    ):
        op.drop_column("interaction", name)


def _ranges(table: str) -> Iterator[tuple[int, int]]:
    """The first and the last id of one step after the other."""
    most = op.get_bind().scalar(sa.text(f"SELECT max(id) FROM {table}")) or 0
    for first in range(0, most + 1, _AT_ONCE):
        yield first, first + _AT_ONCE - 1


def _rename_reason(old: str, new: str) -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"
    column = "attention_reasons" if is_sqlite else "CAST(attention_reasons AS text)"
    renamed = f"replace({column}, '\"{old}\"', '\"{new}\"')"
    reasons = renamed if is_sqlite else f"CAST({renamed} AS json)"
    op.execute(
        f"UPDATE interaction SET attention_reasons = {reasons}, "
        f"attention_reason = CASE attention_reason WHEN '{old}' THEN '{new}' ELSE attention_reason END "
        f"WHERE kind = 'conversation' AND attention_level IS NOT NULL"
    )


def _partial(name: str, where: str) -> None:
    columns = ["interaction_id", "id"]
    op.create_index(name, "message", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
