"""The first read of every request with a key, on the driver."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import sqlalchemy as sa

from app.directory.model import ApiKey, User
from app.directory.repository.users import ApiKeyRepository, UserRepository
from app.directory.tables import api_key, app_user, directory_secret, key_pepper
from app.selection.sql import SqlCompiler, reader
from app.storage.query import Query, Row

M = TypeVar("M")

_KEY_COLUMNS = [api_key.c[field.name] for field in fields(ApiKey)]
_USER_COLUMNS = [app_user.c[field.name] for field in fields(User)]


class KeyLookup:
    """Plans over API keys for one database."""

    def __init__(self, dialect: sa.Dialect) -> None:
        found = sa.select(*_KEY_COLUMNS, *_USER_COLUMNS).join(app_user, app_user.c.id == api_key.c.user_id)
        sql = SqlCompiler(dialect)
        self._by_prefix = sql.statement(found.where(api_key.c.prefix == sa.bindparam("prefix", type_=sa.Text)))
        self._secret = sql.statement(
            sa.select(directory_secret.c.value).where(directory_secret.c.name == sa.bindparam("name", type_=sa.Text))
        )
        self._pepper = sql.statement(sa.select(key_pepper.c.fingerprint).where(key_pepper.c.is_current))
        self._key_of = model_of(ApiKey, _KEY_COLUMNS, ApiKeyRepository.readers, dialect)
        self._user_of = model_of(User, _USER_COLUMNS, UserRepository.readers, dialect)

    def secrets(self, *names: str) -> Generator[Query, Sequence[Row], list[str | None]]:
        """The stored secrets of these names."""
        found: list[str | None] = []
        for name in names:
            rows = yield self._secret.query({"name": name})
            found.append(str(rows[0][0]) if rows else None)
        return found

    def current_pepper(self) -> Generator[Query, Sequence[Row], str | None]:
        """The fingerprint of the pepper for new digests; None before the first start."""
        rows = yield self._pepper.query({})
        return str(rows[0][0]) if rows else None

    def key_and_user(self, *prefixes: str) -> Generator[Query, Sequence[Row], tuple[ApiKey, User] | None]:
        """The first key with one of these prefixes, and its user. It takes as many statements when there is none."""
        found = None
        for prefix in prefixes:
            rows = yield self._by_prefix.query({"prefix": prefix})
            found = found or (tuple(rows[0]) if rows else None)
        if found is None:
            return None
        return self._key_of(found[: len(_KEY_COLUMNS)]), self._user_of(found[len(_KEY_COLUMNS) :])


def model_of(
    model: type[M], columns: Sequence[sa.Column[Any]], readers: Mapping[str, Callable[[Any], Any]], dialect: sa.Dialect
) -> Callable[[Sequence[Any]], M]:
    """A function that makes the model from the values of these columns, as the driver returns them."""

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
