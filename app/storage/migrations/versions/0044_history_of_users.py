"""What the log has of a user is found by that user: an index, and the view that histories of users are read from."""

from functools import partial

import sqlalchemy as sa
from alembic import op

from app.storage.migrations.steps import Steps, locking

revision = "0044"
down_revision = "0043"

_INDEX = "ix_event_log_user"
_ENTRIES = "(assignee_id, position) WHERE interaction_id IS NULL AND assignee_id IS NOT NULL"
_WITHOUT_INDEX = """
SELECT part.inhrelid::regclass::text FROM pg_inherits AS part WHERE part.inhparent = 'event_log'::regclass
AND NOT EXISTS (
  SELECT FROM pg_index JOIN pg_inherits AS made ON made.inhrelid = pg_index.indexrelid
  WHERE pg_index.indrelid = part.inhrelid AND made.inhparent = 'ix_event_log_user'::regclass
) ORDER BY part.inhrelid
"""


def upgrade() -> None:
    """The log may be large, so on PostgreSQL the index is built in each partition beside readers and writers."""
    sqlite = op.get_context().dialect.name == "sqlite"
    if sqlite:
        op.execute(f"CREATE INDEX {_INDEX} ON event_log {_ENTRIES}")
    else:
        _build_beside_others()

    def item(name: str, type_: str) -> str:
        if sqlite:
            return f"json_extract(data, '$.{name}') AS {name}"
        return f"CAST(data ->> '{name}' AS {type_}) AS {name}"

    items = [item(name, "bigint") for name in ("api_key_id", "identity_id", "team_id", "times")]
    items += [item(name, "text") for name in ("issuer", "reason", "permission")]
    changes = "json_extract(data, '$.changes')" if sqlite else "data -> 'changes'"
    # As in the histories of interactions: a user's events are all in one lane.
    op.execute(
        f"CREATE VIEW user_history AS SELECT {'rowid' if sqlite else 'position'} AS id, lane, position, "
        f"assignee_id AS user_id, at, topic, actor_id, client_mutation_id, version, {changes} AS changes, "
        f"{', '.join(items)} FROM event_log WHERE interaction_id IS NULL"
    )


def _build_beside_others() -> None:
    steps = Steps()
    # It is valid once each partition has its own. Partitions that are made later get theirs by themselves.
    make = partial(op.execute, f"CREATE INDEX {_INDEX} ON ONLY event_log {_ENTRIES}")
    steps.once("index", locking("event_log", make, "SHARE"))
    for partition in op.get_bind().scalars(sa.text(_WITHOUT_INDEX)).all():
        index = f"{partition}_user"
        steps.beside(
            partition,
            # One that a kill has left half built.
            f"DROP INDEX CONCURRENTLY IF EXISTS {index}",
            f"CREATE INDEX CONCURRENTLY {index} ON {partition} {_ENTRIES}",
        )
        attach = partial(op.execute, f"ALTER INDEX {_INDEX} ATTACH PARTITION {index}")
        steps.once(index, locking(partition, attach))


def downgrade() -> None:
    op.execute("DROP VIEW user_history")
    op.drop_index(_INDEX, "event_log")
