"""The one MetaData, and column types that both databases share."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

from app.core.clock import rfc3339

Process = Callable[[Any], Any]

metadata = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def surrogate_key() -> sa.Column[int]:
    """The column `id`: a bigint that the database assigns and never reuses."""
    return sa.Column("id", BigId, sa.Identity(), primary_key=True)


def table(name: str, *items: SchemaItem) -> sa.Table:
    """A table of the one MetaData. On SQLite too, its ids are never reused."""
    return sa.Table(name, metadata, *items, sqlite_autoincrement=True)


class Timestamp(sa.types.TypeDecorator[datetime]):
    """An aware datetime in UTC <-> timestamptz, or on SQLite the text `YYYY-MM-DDTHH:MM:SS.ffffffZ`, which sorts.

    Raises ValueError for a naive datetime: a programming error."""

    impl = sa.DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return sa.Text() if dialect.name == "sqlite" else sa.DateTime(timezone=True)

    def bind_processor(self, dialect: Dialect) -> Process:
        return _timestamp_text if dialect.name == "sqlite" else _aware

    def result_processor(self, dialect: Dialect, coltype: object) -> Process | None:
        return _timestamp_value if dialect.name == "sqlite" else None

    def process_literal_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return self.bind_processor(dialect)(value)


def _aware(value: datetime | None) -> datetime | None:
    if value is not None and value.tzinfo is None:
        raise ValueError(f"a time without a zone cannot be stored: {value!r}")
    return value


def _timestamp_text(value: datetime | None) -> str | None:
    return None if value is None else rfc3339(_aware(value) or value)


def _timestamp_value(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).astimezone(UTC)


def moment_of(raw: Any) -> datetime:
    """A time in UTC, from the driver's value of a statement that runs without SQLAlchemy."""
    return raw if isinstance(raw, datetime) else datetime.fromisoformat(raw).astimezone(UTC)


class _PlainJson(postgresql.JSON):
    """PostgreSQL's `json`, passed through as text."""

    def bind_processor(self, dialect: Dialect) -> None:
        return None

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        return None


class JsonText(sa.types.TypeDecorator[str]):
    """JSON as its encoded `str`, byte for byte <-> PostgreSQL `json`, SQLite TEXT."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return _PlainJson() if dialect.name == "postgresql" else sa.Text()


class JsonValue(sa.types.TypeDecorator[Any]):
    """A Python list, dict or scalar, encoded in the same columns as JsonText. None is SQL NULL."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return _PlainJson() if dialect.name == "postgresql" else sa.Text()

    def bind_processor(self, dialect: Dialect) -> Process:
        return json_text

    def result_processor(self, dialect: Dialect, coltype: object) -> Process:
        return _json_value


def json_text(value: object) -> str | None:
    """Encode as compact JSON; None stays None."""
    return None if value is None else orjson.dumps(value).decode()


def _json_value(value: str | None) -> Any:
    return None if value is None else orjson.loads(value)
