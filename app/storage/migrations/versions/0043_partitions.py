"""The event log in partitions on PostgreSQL: the table as it was becomes the first, and no row is written anew."""

import sqlalchemy as sa
from alembic import op

from app.storage.migrations.steps import Steps, locking

revision = "0043"
down_revision = "0042"

_INDEXES = {
    "ix_event_log_interaction_id_position": ("event_log_{}_interaction", "(interaction_id, position)"),
    "ix_event_log_customer": ("event_log_{}_customer", "(customer_id, position) WHERE interaction_id IS NULL"),
}


def upgrade() -> None:
    """Each step holds the log's lock for a moment, but the third: it reads the whole log beside readers and writers."""
    if op.get_context().dialect.name == "sqlite":
        return
    steps = Steps()
    steps.once("lane", locking("lane", _add_to_lane))
    steps.once("log", locking("event_log", _add_to_log))
    steps.once("first", lambda: op.execute("ALTER TABLE event_log VALIDATE CONSTRAINT ck_event_log_first"))
    # The view goes first, as in a statement that reads it.
    steps.once("partitions", locking("interaction_history, event_log", _partition))


def _add_to_lane() -> None:
    op.add_column("lane", sa.Column("era", sa.Integer, nullable=False, server_default="0"))
    op.add_column("lane", sa.Column("first", sa.BigInteger, nullable=False, server_default="1"))


def _add_to_log() -> None:
    op.add_column("event_log", sa.Column("era", sa.Integer, nullable=False, server_default="0"))
    # Proves without another look at the rows that the table may be the partition of era 0.
    op.execute("ALTER TABLE event_log ADD CONSTRAINT ck_event_log_first CHECK (era = 0) NOT VALID")


def _partition() -> None:
    view = op.get_bind().scalar(sa.text("SELECT pg_get_viewdef('interaction_history'::regclass)"))
    op.execute("ALTER TABLE event_log RENAME TO event_log_0")
    op.execute("ALTER TABLE event_log_0 RENAME CONSTRAINT pk_event_log TO pk_event_log_0")
    for name, (renamed, _) in _INDEXES.items():
        op.execute(f"ALTER INDEX {name} RENAME TO {renamed.format(0)}")
    op.execute("CREATE TABLE event_log (LIKE event_log_0) PARTITION BY LIST (era)")
    for name, (_, columns) in _INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON event_log {columns}")
    op.execute("ALTER TABLE event_log ATTACH PARTITION event_log_0 FOR VALUES IN (0)")
    op.execute("ALTER TABLE event_log_0 DROP CONSTRAINT ck_event_log_first")
    op.execute(f"CREATE OR REPLACE VIEW interaction_history AS {view}")
    op.create_table(
        "log_era",
        sa.Column("lane", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("era", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.execute(
        "INSERT INTO log_era (lane, era, first, began_at) SELECT id, 0, 1, coalesce((SELECT min(event_log.at) "
        "FROM lane JOIN event_log ON event_log.lane = lane.id AND event_log.position = lane.oldest), now()) FROM lane"
    )
    # Versions before this one write no era. All lanes change theirs at once, and whoever writes has locked one of them.
    op.execute(
        "CREATE FUNCTION event_log_era() RETURNS integer LANGUAGE sql VOLATILE "
        "BEGIN ATOMIC SELECT era FROM lane WHERE id = 0; END"
    )
    op.execute("ALTER TABLE event_log ALTER COLUMN era SET DEFAULT event_log_era()")


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        return
    view = op.get_bind().scalar(sa.text("SELECT pg_get_viewdef('interaction_history'::regclass)"))
    op.execute("DROP VIEW interaction_history")
    op.execute("ALTER TABLE event_log RENAME TO event_log_before")
    op.execute("CREATE TABLE event_log AS SELECT * FROM event_log_before")
    op.execute("DROP TABLE event_log_before")
    op.drop_column("event_log", "era")
    for column in ("at", "topic", "data"):
        op.alter_column("event_log", column, nullable=False)
    op.create_primary_key("pk_event_log", "event_log", ["lane", "position"])
    for name, (_, columns) in _INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON event_log {columns}")
    op.execute(f"CREATE VIEW interaction_history AS {view}")
    op.drop_table("log_era")
    op.execute("DROP FUNCTION event_log_era()")
    op.drop_column("lane", "first")
    op.drop_column("lane", "era")
