"""Message keys that are unique for each channel, and those of deleted messages."""

import re
from collections.abc import Mapping, Sequence
from functools import partial

import sqlalchemy as sa
from alembic import op

from app.storage.migrations.steps import ROWS, Steps
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

_ADD_TO_SEARCH = """CREATE TRIGGER message_search_insert AFTER INSERT ON message WHEN new.words IS NOT NULL
BEGIN INSERT INTO message_search (rowid, words) VALUES (new.id, new.words); END"""
_TAKE_FROM_SEARCH = """CREATE TRIGGER message_search_delete AFTER DELETE ON message WHEN old.words IS NOT NULL
BEGIN INSERT INTO message_search (message_search, rowid, words) VALUES ('delete', old.id, old.words); END"""


def upgrade() -> None:
    steps = Steps()
    if op.get_context().dialect.name == "sqlite":
        steps.once("table", partial(_declare_sqlite, {f", {_UNIQUE}": "", _KEY: f"{_CHANNEL}, {_KEY}"}))
        # Rows are moved, not copied: the file grows little, and no transaction drops them all.
        steps.rows("messages", "message", *_moving({"channel_key": _CHANNEL_OF}, ROWS))
        steps.once("name", _rename_sqlite)
    else:
        steps.once("column", lambda: op.add_column("message", sa.Column("channel_key", sa.Text)))
        steps.rows("channels", "message", f"UPDATE message SET channel_key = {_CHANNEL_OF} WHERE {ROWS}")
        steps.once("constraints", _constrain_postgresql)
    steps.once("keys", _add_key_index)
    steps.once("deleted", _create_deleted_message)


def downgrade() -> None:
    op.drop_table("deleted_message")
    op.drop_index("uq_message_key", "message")
    op.create_index("ix_message_key", "message", ["message_key", "id"])
    op.execute(_MAKE_UNIQUE)
    op.drop_index("ix_message_key", "message")
    if op.get_context().dialect.name == "sqlite":
        _declare_sqlite({f"{_CHANNEL}, ": "", ", CONSTRAINT fk_": f", {_UNIQUE}, CONSTRAINT fk_"})
        for statement in _moving({}, "true"):
            op.execute(statement)
        _rename_sqlite()
    else:
        op.drop_column("message", "channel_key")
        op.create_unique_constraint("uq_message_message_key", "message", ["message_key"])


def _constrain_postgresql() -> None:
    op.alter_column("message", "channel_key", nullable=False)
    op.drop_constraint("uq_message_message_key", "message", type_="unique")


def _add_key_index() -> None:
    op.create_index("uq_message_key", "message", ["channel_key", "message_key"], unique=True)


def _create_deleted_message() -> None:
    op.create_table(
        "deleted_message",
        sa.Column("channel_key", sa.Text, primary_key=True),
        sa.Column("key_digest", sa.Text, primary_key=True),
        sa.Column("message_id", BigId, nullable=False),
        sa.Column("interaction_id", BigId, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_deleted_message_interaction", "deleted_message", ["interaction_id"])


def _declare_sqlite(replaced: Mapping[str, str]) -> None:
    """Create `message_rebuilt` with the indexes of the table of messages; no trigger is left."""
    connection = op.get_bind()
    declared = sa.text("SELECT type, name, sql FROM sqlite_master WHERE tbl_name = 'message' AND sql IS NOT NULL")
    objects = connection.execute(declared).all()
    table = " ".join(next(row.sql for row in objects if row.type == "table").split())
    for old, put in replaced.items():
        if old not in table:
            raise ValueError("the declaration of the table message is not the one that was migrated")
        table = table.replace(old, put, 1)
    connection.exec_driver_sql(table.replace("message", "message_rebuilt", 1))
    for row in objects:
        if row.type != "table":
            connection.exec_driver_sql(f"DROP {row.type} {row.name}")
        if row.type == "index":
            connection.exec_driver_sql(re.sub(r' ON "?message"? ', " ON message_rebuilt ", row.sql, count=1))


def _moving(new: Mapping[str, str], where: str) -> Sequence[str]:
    """The statements that move messages to `message_rebuilt`. `new` has the expressions of new columns."""
    connection = op.get_bind()
    columns = connection.exec_driver_sql("SELECT name FROM pragma_table_info('message_rebuilt')").scalars().all()
    names, values = ", ".join(columns), ", ".join(new.get(name, name) for name in columns)
    return (
        f"INSERT INTO message_rebuilt ({names}) SELECT {values} FROM message WHERE {where} ORDER BY id",
        f"DELETE FROM message WHERE {where}",
    )


def _rename_sqlite() -> None:
    """Put `message_rebuilt` in place of the table of messages. Surrogates are never given out twice."""
    connection = op.get_bind()
    # The latest surrogate may be that of a message which was deleted since.
    connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = 'message_rebuilt'")
    connection.exec_driver_sql(
        "INSERT INTO sqlite_sequence (name, seq) "
        "SELECT 'message_rebuilt', seq FROM sqlite_sequence WHERE name = 'message'"
    )
    connection.exec_driver_sql("DROP TABLE message")
    connection.exec_driver_sql("ALTER TABLE message_rebuilt RENAME TO message")
    connection.exec_driver_sql(_ADD_TO_SEARCH)
    connection.exec_driver_sql(_TAKE_FROM_SEARCH)
