"""Customers and profiles are found by every form of their telephone numbers, and by the last digits."""

from functools import partial

import sqlalchemy as sa
from alembic import op

from app.core.telephone import is_region, number_entries
from app.storage.migrations.steps import Steps

revision = "0016"
down_revision = "0015"

_BATCH = 1000
_NUMBERS = {
    "customer": (
        "SELECT id, upper(country_code) AS country, phone_number, unconfirmed_phone_number, "
        "CASE WHEN channel = 'WHATSAPP' THEN '+' || display_id END AS display_id FROM customer "
        "WHERE id > :last "
        "AND (phone_number IS NOT NULL OR unconfirmed_phone_number IS NOT NULL OR channel = 'WHATSAPP')"
    ),
    "profile": ("SELECT id, NULL AS country, phone_number FROM profile WHERE id > :last AND phone_number IS NOT NULL"),
}


def upgrade() -> None:
    """Add the entries that are missing."""
    steps = Steps()
    for owner in _NUMBERS:
        steps.batches(owner, partial(_add_entries, owner))


def downgrade() -> None:
    """Nothing: the version before meets the additional entries by digits alone, which do no harm."""


def _add_entries(owner: str, after: int) -> int | None:
    connection = op.get_bind()
    statement = sa.text(f"{_NUMBERS[owner]} ORDER BY id LIMIT {_BATCH}")
    rows = connection.execute(statement, {"last": after}).all()
    entries = [
        {"id": row.id, "word": entry}
        for row in rows
        for number in row[2:]
        if number is not None and number.removeprefix("+").isdecimal()
        for entry in number_entries(number, row.country if is_region(row.country or "") else None)
    ]
    if entries:
        add = sa.text(f"INSERT INTO {owner}_word (owner_id, word) VALUES (:id, :word) ON CONFLICT DO NOTHING")
        connection.execute(add, entries)
    return rows[-1].id if rows else None
