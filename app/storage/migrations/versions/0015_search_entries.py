"""What texts are found by, cut anew: pairs of characters where a script has no spaces, and more letters folded."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

from app.core.text import entries, index_entries

revision = "0015"
down_revision = "0014"

_BATCH = 1000
_OWNERS: Mapping[str, Sequence[str]] = {
    "app_user": ("name", "login", "full_name"),
    "profile": ("name", "email", "phone_number"),
    "customer": (
        *("name", "first_name", "last_name", "company_name", "email", "customer_key"),
        *("phone_number", "unconfirmed_phone_number", "display_id", "CAST(tags AS TEXT) AS tags"),
    ),
}


def upgrade() -> None:
    """Change the rows whose entries differ; of texts in ASCII none do.

    One batch after the other is held in memory. All is one transaction: a server never searches half of it."""
    _each("message", ["text", "words"], "text", _cut_message)
    for owner, columns in _OWNERS.items():
        joined = " || ".join(f"coalesce({column.removesuffix(' AS tags')}, '')" for column in columns)
        _each(owner, columns, joined, _cutting(owner))


def downgrade() -> None:
    """Nothing: the version before searches these entries as well as it can."""


def _each(table: str, columns: Sequence[str], text: str, change: Callable[[Any], None]) -> None:
    connection = op.get_bind()
    size = "octet_length({0})" if connection.dialect.name == "postgresql" else "length(CAST({0} AS BLOB))"
    statement = sa.text(
        f"SELECT id, {', '.join(columns)} FROM {table} WHERE id > :last AND {size.format(text)} > length({text}) "
        "ORDER BY id LIMIT :most"
    )
    last = 0
    while rows := connection.execute(statement, {"last": last, "most": _BATCH}).all():
        for row in rows:
            change(row)
        last = rows[-1].id


def _cut_message(row: Any) -> None:
    words = " ".join(dict.fromkeys(entries(row.text))) or None
    if words == row.words:
        return
    connection = op.get_bind()
    change = sa.text("UPDATE message SET words = :words WHERE id = :id")
    if connection.dialect.name == "sqlite":
        # FTS5 takes out what it is told was in it.
        if row.words is not None:
            forget = "INSERT INTO message_search (message_search, rowid, words) VALUES ('delete', :id, :words)"
            connection.execute(sa.text(forget), {"id": row.id, "words": row.words})
        connection.execute(change, {"id": row.id, "words": words})
        if words is not None:
            add = sa.text("INSERT INTO message_search (rowid, words) VALUES (:id, :words)")
            connection.execute(add, {"id": row.id, "words": words})
    else:
        connection.execute(change, {"id": row.id, "words": words})


def _cutting(owner: str) -> Callable[[Any], None]:
    forget = sa.text(f"DELETE FROM {owner}_word WHERE owner_id = :id")
    add = sa.text(f"INSERT INTO {owner}_word (owner_id, word) VALUES (:id, :word)")

    def cut(row: Any) -> None:
        connection = op.get_bind()
        connection.execute(forget, {"id": row.id})
        tags = orjson.loads(row.tags) if owner == "customer" else []
        words = index_entries(*row[1 : len(row) - (owner == "customer")], *tags)
        connection.execute(add, [{"id": row.id, "word": word} for word in words])

    return cut
