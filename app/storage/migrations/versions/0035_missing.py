"""Where reading a connected system goes on, and what it has no more."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"

_TEXTS = ("poll_cursor", "walk_after")
_NUMBERS = ("missing", "missing_allowed")


def upgrade() -> None:
    for name in _TEXTS:
        op.add_column("connected_system", sa.Column(name, sa.Text))
    for name in _NUMBERS:
        op.add_column("connected_system", sa.Column(name, sa.Integer))
    # A walk that is under way has no place to go on from: it begins anew.
    op.execute("UPDATE connected_system SET walk_page = NULL, walk_pages = NULL, walk_began_at = NULL")


def downgrade() -> None:
    for name in (*_TEXTS, *_NUMBERS):
        op.drop_column("connected_system", name)
