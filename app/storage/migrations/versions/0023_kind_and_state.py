"""Indexes by kind and state for each order of interactions, and by kind for the attention queue."""

from functools import partial

import sqlalchemy as sa
from alembic import op

from app.storage.migrations.steps import Steps

revision = "0023"
down_revision = "0022"

_OLDER = {"kind": ["kind", "active_at", "id"], "state": ["state", "active_at", "id"]}
_ORDERS = ("active", "created", "updated")
_QUEUED = sa.text("attention_level IS NOT NULL")


def upgrade() -> None:
    steps = Steps()
    for order in _ORDERS:
        steps.once(f"index {order}", partial(_add_index, order))
    steps.once("index queue", _add_queue_index)
    for name in _OLDER:
        steps.once(f"older index {name}", partial(op.drop_index, f"ix_interaction_{name}", "interaction"))


def downgrade() -> None:
    for name, columns in _OLDER.items():
        op.create_index(f"ix_interaction_{name}", "interaction", columns)
    for name in (*_ORDERS, "queue"):
        op.drop_index(f"ix_interaction_part_{name}", "interaction")


def _add_index(order: str) -> None:
    op.create_index(f"ix_interaction_part_{order}", "interaction", ["kind", "state", f"{order}_at", "id"])


def _add_queue_index() -> None:
    columns = ["kind", "attention_level", "attention_since", "id"]
    op.create_index("ix_interaction_part_queue", "interaction", columns, sqlite_where=_QUEUED, postgresql_where=_QUEUED)
