"""Since when customers wait for an answer, computed for what is stored."""

import sqlalchemy as sa
from alembic import op

from app.storage.migrations.steps import ROWS, Steps
from app.storage.tables import BigId, Timestamp

revision = "0013"
down_revision = "0012"

_HELD = "kind = 'agent_session' AND state <> 'CLOSED' AND assignee_id IS NOT NULL"
# Of a bot that is not in charge any more it is not known when it lost the charge: then its messages answer nothing.
_BEARING = f"""UPDATE message SET bearing = CASE
  WHEN author = 'CUSTOMER' THEN 'ASKS'
  WHEN author = 'USER' AND coalesce(message_type, 'TO_CUSTOMER') = 'TO_CUSTOMER'
    AND coalesce(special_type, 'NONE') NOT IN ('WELCOME', 'ERROR') THEN 'ANSWERS'
  WHEN author IN ('BOT', 'AI_AGENT') AND EXISTS (
    SELECT 1 FROM interaction WHERE interaction.id = message.interaction_id AND interaction.bot_active) THEN 'ANSWERS'
  END WHERE {ROWS}"""
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
  WHERE state <> 'CLOSED' AND {ROWS}"""
_CLOSED = f"""UPDATE interaction SET answer_failed = {_FAILED}, settled_message_id = (
  SELECT max(id) FROM message WHERE interaction_id = interaction.id AND bearing = 'ASKS' AND id > {_ANSWERED})
  WHERE state = 'CLOSED' AND {ROWS}"""


def upgrade() -> None:
    steps = Steps()
    steps.once("columns", _add_columns)
    steps.rows("bots", "interaction", f"UPDATE interaction SET bot_active = false WHERE {_HELD} AND {ROWS}")
    steps.rows("bearing", "message", _BEARING)
    steps.once("indexes", _add_indexes)
    steps.rows("waits", "interaction", _OPEN, _CLOSED, _renaming("UNREAD", "CUSTOMER_WAITING") + f" AND {ROWS}")


def downgrade() -> None:
    op.execute(_renaming("CUSTOMER_WAITING", "UNREAD"))
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


def _add_columns() -> None:
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


def _add_indexes() -> None:
    for bearing in ("ASKS", "ANSWERS"):
        where = sa.text(f"bearing = '{bearing}'")
        name = f"ix_message_{bearing.lower()}"
        op.create_index(name, "message", ["interaction_id", "id"], sqlite_where=where, postgresql_where=where)
    if op.get_context().dialect.name == "postgresql":
        op.execute("ANALYZE message")


def _renaming(old: str, new: str) -> str:
    """The statement that gives a reason of conversations another name."""
    is_sqlite = op.get_context().dialect.name == "sqlite"
    column = "attention_reasons" if is_sqlite else "CAST(attention_reasons AS text)"
    renamed = f"replace({column}, '\"{old}\"', '\"{new}\"')"
    reasons = renamed if is_sqlite else f"CAST({renamed} AS json)"
    return (
        f"UPDATE interaction SET attention_reasons = {reasons}, "
        f"attention_reason = CASE attention_reason WHEN '{old}' THEN '{new}' ELSE attention_reason END "
        f"WHERE kind = 'conversation' AND attention_level IS NOT NULL"
    )
