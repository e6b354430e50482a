"""What texts are found by, cut anew: pairs of characters where a script has no spaces, and more letters folded."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

from app.core.text import entries, index_entries
from app.storage.migrations.steps import Steps

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
    """Change the rows whose entries differ; of texts in ASCII none do."""
    steps = Steps()
    _each(steps, "message", ["text", "words"], "text", _cut_messages)
    for owner, columns in _OWNERS.items():
        joined = " || ".join(f"coalesce({column.removesuffix(' AS tags')}, '')" for column in columns)
        _each(steps, owner, columns, joined, _cutting(owner))


def downgrade() -> None:
    """Nothing: the version before searches these entries as well as it can."""


def _each(steps: Steps, table: str, columns: Sequence[str], text: str, change: Callable[[Sequence[Any]], None]) -> None:
    connection = op.get_bind()
    size = "octet_length({0})" if connection.dialect.name == "postgresql" else "length(CAST({0} AS BLOB))"
    statement = sa.text(
        f"SELECT id, {', '.join(columns)} FROM {table} WHERE id > :last AND {size.format(text)} > length({text}) "
        "ORDER BY id LIMIT :most"
    )

    def batch(after: int) -> int | None:
        rows = connection.execute(statement, {"last": after, "most": _BATCH}).all()
        change(rows)
        return rows[-1].id if rows else None

    steps.batches(table, batch)


def _cut_messages(rows: Sequence[Any]) -> None:
    cut = {row.id: " ".join(dict.fromkeys(entries(row.text))) or None for row in rows}
    changed = [row for row in rows if cut[row.id] != row.words]
    before = [{"id": row.id, "words": row.words} for row in changed if row.words is not None]
    after = [{"id": row.id, "words": cut[row.id]} for row in changed]
    is_sqlite = op.get_context().dialect.name == "sqlite"
    if is_sqlite:
        # FTS5 takes out what it is told was in it.
        _many("INSERT INTO message_search (message_search, rowid, words) VALUES ('delete', :id, :words)", before)
    _many("UPDATE message SET words = :words WHERE id = :id", after)
    if is_sqlite:
        found = [row for row in after if row["words"] is not None]
        _many("INSERT INTO message_search (rowid, words) VALUES (:id, :words)", found)


def _cutting(owner: str) -> Callable[[Sequence[Any]], None]:
    def cut(rows: Sequence[Any]) -> None:
        _many(f"DELETE FROM {owner}_word WHERE owner_id = :id", [{"id": row.id} for row in rows])
        words = [{"id": row.id, "word": word} for row in rows for word in _words(row)]
        _many(f"INSERT INTO {owner}_word (owner_id, word) VALUES (:id, :word)", words)

    def _words(row: Any) -> Iterable[str]:
        tags = orjson.loads(row.tags) if owner == "customer" else []
        return index_entries(*row[1 : len(row) - (owner == "customer")], *tags)

    return cut


def _many(statement: str, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        op.get_bind().execute(sa.text(statement), rows)
