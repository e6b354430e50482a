"""The log's tables.

On PostgreSQL `event_log` is partitioned by a column `era`. There `lane` has the newest one and its `first` position,
and a table `log_era` has those of all that are kept."""

import sqlalchemy as sa

from app.storage.tables import BigId, JsonText, Timestamp, metadata

lane = sa.Table(
    "lane",
    metadata,
    sa.Column("id", BigId, primary_key=True, autoincrement=False),
    sa.Column("head", BigId, nullable=False),
    sa.Column("oldest", BigId, nullable=False),
)

event_log = sa.Table(
    "event_log",
    metadata,
    sa.Column("lane", BigId, primary_key=True, autoincrement=False),
    sa.Column("position", BigId, primary_key=True, autoincrement=False),
    sa.Column("at", Timestamp, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("kind", sa.Text),
    sa.Column("interaction_id", BigId),
    sa.Column("customer_id", BigId),
    sa.Column("assignee_id", BigId),
    sa.Column("actor_id", BigId),
    sa.Column("client_mutation_id", sa.Text),
    sa.Column("version", BigId),
    sa.Column("level_before", BigId),
    sa.Column("level_after", BigId),
    sa.Column("data", JsonText, nullable=False),
    sa.Index(None, "interaction_id", "position"),
    sa.Index(
        "ix_event_log_customer",
        "customer_id",
        "position",
        sqlite_where=sa.text("interaction_id IS NULL"),
        postgresql_where=sa.text("interaction_id IS NULL"),
    ),
    # Of an event that is about no interaction, the assignee is the user that it is about.
    sa.Index(
        "ix_event_log_user",
        "assignee_id",
        "position",
        sqlite_where=sa.text("interaction_id IS NULL AND assignee_id IS NOT NULL"),
        postgresql_where=sa.text("interaction_id IS NULL AND assignee_id IS NOT NULL"),
    ),
)
