"""Which messages began a conversation anew, so that the window follows what is said of their delivery."""

from datetime import timedelta

import sqlalchemy as sa
from alembic import op

from app.storage.migrations.steps import Steps
from app.storage.tables import BigId, JsonValue, Timestamp

revision = "0019"
down_revision = "0018"

_AT_ONCE = 2_000
_CONVERSATION = sa.table(
    "conversation",
    sa.column("id", BigId),
    sa.column("reply_until", Timestamp),
    sa.column("customer_interaction_required", sa.Boolean),
    sa.column("restart_message_ids", JsonValue),
)
_MESSAGE = sa.table(
    "message",
    sa.column("id", BigId),
    sa.column("interaction_id", BigId),
    sa.column("author", sa.Text),
    sa.column("created_at", Timestamp),
)


def upgrade() -> None:
    steps = Steps()
    steps.once("column", _add_column)
    steps.batches("restarts", _find_restarts)


def downgrade() -> None:
    op.drop_column("conversation", "restart_message_ids")


def _add_column() -> None:
    nothing = sa.text("'[]'")
    op.add_column("conversation", sa.Column("restart_message_ids", JsonValue, nullable=False, server_default=nothing))


def _find_restarts(after: int) -> int | None:
    """Of conversations whose customer has to write first: a restart opened the window when it was written."""
    connection, c, m = op.get_bind(), _CONVERSATION.c, _MESSAGE.c
    required = sa.select(c.id, c.reply_until).where(c.customer_interaction_required, c.id > after)
    found = connection.execute(required.order_by(c.id).limit(_AT_ONCE)).all()
    for row in found:
        written = row.reply_until - timedelta(hours=24)
        restart = sa.select(sa.func.max(m.id)).where(m.interaction_id == row.id, m.author == "USER")
        message_id = connection.scalar(restart.where(m.created_at == written))
        if message_id is not None:
            ids = {"restart_message_ids": [message_id]}
            connection.execute(sa.update(_CONVERSATION).where(c.id == row.id).values(ids))
    return found[-1].id if found else None
