"""Message keys that are unique for each channel, and those of deleted messages."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId

revision = "0014"
down_revision = "0013"

_UNIQUE = "CONSTRAINT uq_message_message_key UNIQUE (message_key)"
_KEY = "message_key TEXT NOT NULL"
_CHANNEL = "channel_key TEXT NOT NULL"
# A message whose interaction is gone waits to be erased: its channel is of no account.
_CHANNEL_OF = """coalesce(CASE kind
  WHEN 'conversation' THEN
    (SELECT 'cha_' || conversation.channel_agent_id FROM conversation WHERE conversation.id = message.interaction_id)
  WHEN 'agent_session' THEN
    (SELECT 'aia_' || agent_session.agent_id FROM agent_session WHERE agent_session.id = message.interaction_id)
  END, kind)"""
# Of messages with the same key on several channels the first keeps it.
_MAKE_UNIQUE = """UPDATE message SET message_key = message_key || ':' || id WHERE EXISTS
  (SELECT 1 FROM message AS first WHERE first.message_key = message.message_key AND first.id < message.id)"""


def upgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        _rebuild_sqlite({f", {_UNIQUE}": "", _KEY: f"{_CHANNEL}, {_KEY}"}, {"channel_key": _CHANNEL_OF})
    else:
        op.add_column("message", sa.Column("channel_key", sa.Text))
        op.execute(f"UPDATE message SET channel_key = {_CHANNEL_OF}")
        op.alter_column("message", "channel_key", nullable=False)
        op.drop_constraint("uq_message_message_key", "message", type_="unique")
    op.create_index("uq_message_key", "message", ["channel_key", "message_key"], unique=True)
    op.create_table(
        "deleted_message",
        sa.Column("channel_key", sa.Text, primary_key=True),
        sa.Column("key_digest", sa.Text, primary_key=True),
        sa.Column("message_id", BigId, nullable=False),
        sa.Column("interaction_id", BigId, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deleted_message_interaction", "deleted_message", ["interaction_id"])


def downgrade() -> None:
    op.drop_table("deleted_message")
    op.drop_index("uq_message_key", "message")
    op.create_index("ix_message_key", "message", ["message_key", "id"])
    op.execute(_MAKE_UNIQUE)
    op.drop_index("ix_message_key", "message")
    if op.get_context().dialect.name == "sqlite":
        _rebuild_sqlite({f"{_CHANNEL}, ": "", ", CONSTRAINT fk_": f", {_UNIQUE}, CONSTRAINT fk_"}, {})
    else:
        op.drop_column("message", "channel_key")
        op.create_unique_constraint("uq_message_message_key", "message", ["message_key"])


def _rebuild_sqlite(replaced: dict[str, str], new: dict[str, str]) -> None:
    """Copy the messages into a table that is declared in another way. `new` has the expressions of new columns.

    The indexes and the triggers of full-text search are made again, and surrogates are never given out twice."""
    connection = op.get_bind()
    declared = sa.text("SELECT type, sql FROM sqlite_master WHERE tbl_name = 'message' AND sql IS NOT NULL")
    objects = connection.execute(declared).all()
    table = " ".join(next(row.sql for row in objects if row.type == "table").split())
    for old, put in replaced.items():
        if old not in table:
            raise ValueError("the declaration of the table message is not the one that was migrated")
        table = table.replace(old, put, 1)
    connection.exec_driver_sql(table.replace("message", "message_rebuilt", 1))
    columns = connection.exec_driver_sql("SELECT name FROM pragma_table_info('message_rebuilt')").scalars().all()
    names, values = ", ".join(columns), ", ".join(new.get(name, name) for name in columns)
    connection.exec_driver_sql(f"INSERT INTO message_rebuilt ({names}) SELECT {values} FROM message ORDER BY id")
    # The latest surrogate may be that of a message which was deleted since.
    connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = 'message_rebuilt'")
    connection.exec_driver_sql(
        "INSERT INTO sqlite_sequence (name, seq) "
        "SELECT 'message_rebuilt', seq FROM sqlite_sequence WHERE name = 'message'"
    )
    connection.exec_driver_sql("DROP TABLE message")
    connection.exec_driver_sql("ALTER TABLE message_rebuilt RENAME TO message")
    for row in objects:
        if row.type != "table":
            connection.exec_driver_sql(row.sql)
