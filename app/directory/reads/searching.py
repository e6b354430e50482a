"""Finds customers by words and telephone numbers, for related lists."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from app.directory.tables import customer_word
from app.storage.constructs import texts

MOST_LOOKED_AT = 10_000
"""How many entries that begin with a term are read, in their order."""

MOST_CUSTOMERS = 1_000
"""How many customers are found."""

_BEYOND = sa.literal_column(f"'{chr(0x10FFFF)}'", sa.Text)


def customers_named(
    leading: Sequence[sa.ColumnElement[str]], others: sa.BindParameter[Any], if_: sa.ColumnElement[bool]
) -> sa.Select[Any]:
    """The surrogates of customers with an entry that begins with one of the leading terms, and with entries for all of
    `others`. None of them when the condition is false."""
    led = [_led_by(term, f"entry_{place}") for place, term in enumerate(leading)]
    found = (sa.union_all(*led) if len(led) > 1 else led[0]).subquery("led")
    other, entry = texts(others, "other_term"), customer_word.alias("other_entry")
    met = sa.select(entry.c.owner_id).where(entry.c.owner_id == found.c.owner_id, *begins(entry, other.c.text))
    missing = sa.select(other.c.text).where(~met.correlate(found, other).exists()).correlate(found)
    chosen = (
        sa.select(found.c.owner_id)
        .distinct()
        .where(if_, ~missing.exists())
        .limit(sa.literal_column(str(MOST_CUSTOMERS)))
    )
    return sa.select(chosen.subquery("named").c.owner_id)


def begins(entry: sa.FromClause, term: sa.ColumnElement[str]) -> Sequence[sa.ColumnElement[bool]]:
    """The entry begins with the term, written as a range of the index."""
    return entry.c.word >= term, entry.c.word < term.concat(_BEYOND)


def _led_by(term: sa.ColumnElement[str], name: str) -> sa.Select[Any]:
    entry = customer_word.alias(name)
    found = sa.select(entry.c.owner_id).where(*begins(entry, term)).order_by(entry.c.word, entry.c.owner_id)
    return sa.select(found.limit(sa.literal_column(str(MOST_LOOKED_AT))).subquery(f"of_{name}").c.owner_id)
