"""The full-text search for messages."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from app.core.errors import InvalidInput
from app.core.text import MOST_TERMS, terms
from app.storage.tables import Process


class Question(sa.types.TypeDecorator[Sequence[str]]):
    """Terms of a search, all to be met, in the query language of each database."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return sa.Text()

    def bind_processor(self, dialect: Dialect) -> Process:
        return _fts5 if dialect.name == "sqlite" else _tsquery


def question_of(text: str) -> Sequence[str]:
    """The terms of a search. Raises InvalidInput for a text without terms, or with more than 32."""
    found = terms(text)
    if not found:
        raise InvalidInput("Search for at least one letter or digit.")
    if len(found) > MOST_TERMS:
        raise InvalidInput(
            f"Search for at most {MOST_TERMS} words; in a script without spaces each two characters count as one."
        )
    return found


# Terms are letters, digits and their marks alone, so quoting them is enough.
def _fts5(found: Sequence[str]) -> str:
    return " ".join(f'"{term[:-1]}"' if term.endswith(" ") else f'"{term}"*' for term in found)


def _tsquery(found: Sequence[str]) -> str:
    return " & ".join(f"'{term[:-1]}'" if term.endswith(" ") else f"'{term}':*" for term in found)


class speaks_of(FunctionElement[bool]):  # noqa: N801 - reads as SQL
    """`speaks_of(message.id, message.words, bind(Question()))`: all terms of the question are met by the message."""

    inherit_cache = True
    name = "speaks_of"

    def __init__(
        self, key: sa.ColumnElement[Any], words: sa.ColumnElement[Any], question: sa.ColumnElement[Any]
    ) -> None:
        self.type = sa.Boolean()
        super().__init__(key, words, question)

    def self_group(self, against: Any = None) -> "speaks_of":
        # SQLAlchemy would write `= 1` behind it, for which SQLite goes through every message there is.
        return self


@compiles(speaks_of, "postgresql")
def _speaks_of_postgresql(element: speaks_of, compiler: SQLCompiler, **kw: Any) -> str:
    _, words, question = element.clauses
    document = f"array_to_tsvector(string_to_array({compiler.process(words, **kw)}, ' '))"
    return f"({document} @@ CAST(CAST({compiler.process(question, **kw)} AS text) AS tsquery))"


@compiles(speaks_of, "sqlite")
def _speaks_of_sqlite(element: speaks_of, compiler: SQLCompiler, **kw: Any) -> str:
    key, _, question = element.clauses
    found = f"SELECT rowid FROM message_search WHERE message_search MATCH {compiler.process(question, **kw)}"
    return f"({compiler.process(key, **kw)} IN ({found}))"
