"""The base of every repository: the shared reads, and constraint violations as the rules they guard."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.core.errors import DomainError


class Repository:
    """Named queries over one unit's connection: rows in, models out."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection

    @property
    def dialect_name(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.connection.dialect.name

    def _one(self, statement: sa.Executable, parameters: dict[str, Any] | None = None) -> sa.Row[Any] | None:
        return self.connection.execute(statement, parameters).first()

    def _all(self, statement: sa.Executable, parameters: dict[str, Any] | None = None) -> Sequence[sa.Row[Any]]:
        return self.connection.execute(statement, parameters).all()

    @contextmanager
    def _refusing(self, error: DomainError) -> Iterator[None]:
        """Turn a violated constraint into `error`, which must then end the unit."""
        try:
            yield
        except IntegrityError as violation:
            raise error from violation
