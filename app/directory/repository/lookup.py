"""The read that every request with a key begins with, on the driver."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import sqlalchemy as sa

from app.directory.model import ApiKey, User
from app.directory.repository.users import ApiKeyRepository, UserRepository
from app.directory.tables import api_key, app_user, directory_secret
from app.selection.sql import SqlCompiler, reader
from app.storage.query import Query, Row

M = TypeVar("M")

_KEY_COLUMNS = [api_key.c[field.name] for field in fields(ApiKey)]
_USER_COLUMNS = [app_user.c[field.name] for field in fields(User)]


class KeyLookup:
    """Plans over API keys for one dialect."""

    def __init__(self, dialect: sa.Dialect) -> None:
        found = sa.select(*_KEY_COLUMNS, *_USER_COLUMNS).join(app_user, app_user.c.id == api_key.c.user_id)
        sql = SqlCompiler(dialect)
        self._by_prefix = sql.statement(found.where(api_key.c.prefix == sa.bindparam("prefix", type_=sa.Text)))
        self._secret = sql.statement(
            sa.select(directory_secret.c.value).where(directory_secret.c.name == sa.bindparam("name", type_=sa.Text))
        )
        self._key_of = _model_of(ApiKey, _KEY_COLUMNS, ApiKeyRepository.readers, dialect)
        self._user_of = _model_of(User, _USER_COLUMNS, UserRepository.readers, dialect)

    def secret(self, name: str) -> Generator[Query, Sequence[Row], str | None]:
        """The stored secret of this name."""
        rows = yield self._secret.query({"name": name})
        return str(rows[0][0]) if rows else None

    def key_and_user(self, prefix: str) -> Generator[Query, Sequence[Row], tuple[ApiKey, User] | None]:
        """The one key with this prefix, and whose it is."""
        rows = yield self._by_prefix.query({"prefix": prefix})
        if not rows:
            return None
        values = tuple(rows[0])
        return self._key_of(values[: len(_KEY_COLUMNS)]), self._user_of(values[len(_KEY_COLUMNS) :])


def _model_of(
    model: type[M], columns: Sequence[sa.Column[Any]], readers: Mapping[str, Callable[[Any], Any]], dialect: sa.Dialect
) -> Callable[[Sequence[Any]], M]:
    def nothing(value: Any) -> Any:
        return value

    steps = [(column.name, reader(column.type, dialect), readers.get(column.name, nothing)) for column in columns]

    def make(values: Sequence[Any]) -> M:
        read = {
            name: None if value is None else refine(convert(value))
            for (name, convert, refine), value in zip(steps, values, strict=True)
        }
        return model(**read)

    return make
