"""The base of every repository: shared reads, and constraint violations."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.core.errors import DomainError
from app.storage.fixed import NO_PARAMETERS, Fixed

_FOREIGN_KEY_VIOLATION = "23503"


def reserve_ids(connection: sa.Connection, table: sa.Table, count: int) -> int:
    """Reserve `count` ids of the table, which the database then gives to nobody else. Returns the first one.

    A bulk load needs them, because its rows refer to each other before they are written."""
    if connection.dialect.name == "sqlite":
        sequence = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
        mine = sequence.c.name == table.name
        last = connection.execute(sa.select(sequence.c.seq).where(mine)).scalar()
        if last is None:
            connection.execute(sa.insert(sequence).values(name=table.name, seq=0))
        connection.execute(sa.update(sequence).where(mine).values(seq=(last or 0) + count))
        return int(last or 0) + 1
    # Others may take ids between these two numbers: those are skipped as well.
    taken = (
        "SELECT setval(s, nextval(s) + :count - 1) FROM (SELECT pg_get_serial_sequence(:table, 'id') AS s) AS of_table"
    )
    return int(connection.execute(sa.text(taken), {"count": count, "table": table.name}).scalar_one()) - count + 1


class Repository:
    """Named queries over one unit's connection: rows in, models out."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    @property
    def dialect_name(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.connection.dialect.name

    def _one(self, statement: sa.Executable | Fixed, parameters: Mapping[str, Any] = NO_PARAMETERS) -> Any:
        """The first row, or None."""
        if isinstance(statement, Fixed):
            rows = statement.rows(self.connection, parameters)
            return rows[0] if rows else None
        return self.connection.execute(statement, parameters).first()

    def _all(self, statement: sa.Executable | Fixed, parameters: Mapping[str, Any] = NO_PARAMETERS) -> Sequence[Any]:
        if isinstance(statement, Fixed):
            return statement.rows(self.connection, parameters)
        return self.connection.execute(statement, parameters).all()

    @contextmanager
    def _refusing(self, error: DomainError) -> Iterator[None]:
        """Turn the violation of a unique constraint into `error`. The error must then end the unit."""
        try:
            yield
        except IntegrityError as violation:
            if _is_of_reference(violation):
                raise
            raise error from violation


def _is_of_reference(violation: IntegrityError) -> bool:
    """Whether the error is a foreign key violation: a row that is referred to does not exist, or is deleted."""
    if isinstance(violation.orig, sqlite3.IntegrityError):
        return violation.orig.sqlite_errorcode == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
    return getattr(violation.orig, "sqlstate", None) == _FOREIGN_KEY_VIOLATION
