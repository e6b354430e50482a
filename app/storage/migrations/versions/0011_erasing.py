"""Erasing in bounded parts: what is left to erase, who was erased, and no key of a client in its own words."""

import hashlib
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, Timestamp

revision = "0011"
down_revision = "0010"

_PARTS = ("message", "note")


def upgrade() -> None:
    for table in _PARTS:
        if op.get_context().dialect.name == "sqlite":
            _declare_sqlite(table, f", {_constraint(table)}", "")
        else:
            op.drop_constraint(_name(table), table, type_="foreignkey")
    op.create_table(
        "erasing",
        sa.Column("what", sa.Text, primary_key=True),
        sa.Column("number", BigId, primary_key=True, autoincrement=False),
        sa.Column("place", BigId, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "erasure",
        sa.Column("customer_id", BigId, primary_key=True, autoincrement=False),
        sa.Column("customer_created_at", Timestamp, primary_key=True),
        sa.Column("erased_at", Timestamp, nullable=False),
        sa.Column("finished_at", Timestamp),
        sqlite_with_rowid=False,
    )
    where = sa.text("interaction_id IS NULL")
    op.create_index(
        "ix_event_log_customer", "event_log", ["customer_id", "position"], sqlite_where=where, postgresql_where=where
    )
    _digest_keys()


def downgrade() -> None:
    op.drop_index("ix_event_log_customer", "event_log")
    op.drop_table("erasure")
    op.drop_table("erasing")
    for table in _PARTS:
        op.execute(f"DELETE FROM {table} WHERE interaction_id NOT IN (SELECT id FROM interaction)")
        if op.get_context().dialect.name == "sqlite":
            first = "CONSTRAINT fk_"
            _declare_sqlite(table, f", {first}", f", {_constraint(table)}, {first}")
        else:
            op.create_foreign_key(_name(table), table, "interaction", ["interaction_id"], ["id"], ondelete="CASCADE")


def _name(table: str) -> str:
    return f"fk_{table}_interaction_id"


def _constraint(table: str) -> str:
    return f"CONSTRAINT {_name(table)} FOREIGN KEY(interaction_id) REFERENCES interaction (id) ON DELETE CASCADE"


def _declare_sqlite(table: str, old: str, new: str) -> None:
    """Replace a piece of the table's declaration: a foreign key is nothing but that, and no row has to be rewritten."""
    connection = op.get_bind()
    find = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")
    written = " ".join(connection.execute(find, {"name": table}).scalar_one().split())
    if old not in written:
        raise ValueError(f"the declaration of the table {table} is not the one that was migrated")
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.execute(
        sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :name"),
        {"sql": written.replace(old, new, 1), "name": table},
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")


def _digest_keys() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.execute("UPDATE idempotency_key SET key = encode(sha256(convert_to(key, 'UTF8')), 'hex')")
        return
    driver: Any = op.get_bind().connection.driver_connection
    driver.create_function("sha256_hex", 1, lambda key: hashlib.sha256(key.encode()).hexdigest(), deterministic=True)
    op.execute("UPDATE idempotency_key SET key = sha256_hex(key)")
