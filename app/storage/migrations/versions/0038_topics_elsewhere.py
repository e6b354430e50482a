"""The keys of chat topics in the systems that they come from."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"

_GIVEN = sa.text("upstream_key IS NOT NULL")


def upgrade() -> None:
    op.add_column("chat_topic", sa.Column("upstream_key", sa.Text))
    op.create_index(
        "uq_chat_topic_upstream_key",
        "chat_topic",
        ["upstream_key"],
        unique=True,
        sqlite_where=_GIVEN,
        postgresql_where=_GIVEN,
    )


def downgrade() -> None:
    op.drop_index("uq_chat_topic_upstream_key", "chat_topic")
    op.drop_column("chat_topic", "upstream_key")
