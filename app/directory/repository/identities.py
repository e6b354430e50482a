"""The identities by which people sign in."""

from collections.abc import Generator, Sequence
from dataclasses import fields

import sqlalchemy as sa

from app.core.errors import AlreadyExists
from app.directory.model import User
from app.directory.model.identity import Identity
from app.directory.repository.lookup import model_of
from app.directory.repository.rows import Rows, pairs
from app.directory.repository.users import UserRepository
from app.directory.tables import app_user, user_identity
from app.selection.sql import SqlCompiler
from app.storage.query import Query, Row

_IDENTITY_COLUMNS = [user_identity.c[field.name] for field in fields(Identity)]
_USER_COLUMNS = [app_user.c[field.name] for field in fields(User)]


class IdentityRepository(Rows[Identity]):
    """Named queries over identities."""

    model = Identity
    rows = user_identity
    readers = {"groups": pairs}  # noqa: RUF012 - declared by the base
    writers = {"groups": dict}  # noqa: RUF012 - declared by the base

    def taken(self, model: Identity) -> AlreadyExists:
        return AlreadyExists(f"The person {model.subject} of {model.issuer} is linked to a user already.")

    def get_by_subject(self, issuer: str, subject: str) -> Identity | None:
        """The identity of a person of an issuer."""
        return self._find(user_identity.c.issuer == issuer, user_identity.c.subject == subject)

    def list_of(self, user_id: int) -> Sequence[Identity]:
        """The user's identities, oldest first."""
        statement = sa.select(*self._columns()).where(user_identity.c.user_id == user_id).order_by(user_identity.c.id)
        return [self._model(row) for row in self._all(statement)]


class IdentityLookup:
    """The plan that finds the user of a person, for one database."""

    def __init__(self, dialect: sa.Dialect) -> None:
        found = sa.select(*_IDENTITY_COLUMNS, *_USER_COLUMNS)
        found = found.select_from(user_identity.join(app_user, user_identity.c.user_id == app_user.c.id))
        found = found.where(
            user_identity.c.issuer == sa.bindparam("issuer", type_=sa.Text),
            user_identity.c.subject == sa.bindparam("subject", type_=sa.Text),
        )
        self._by_subject = SqlCompiler(dialect).statement(found)
        self._identity_of = model_of(Identity, _IDENTITY_COLUMNS, IdentityRepository.readers, dialect)
        self._user_of = model_of(User, _USER_COLUMNS, UserRepository.readers, dialect)

    def user(self, issuer: str, subject: str) -> Generator[Query, Sequence[Row], tuple[Identity, User] | None]:
        """The identity of the person, and the user that it is linked to; None at the first sign-in."""
        rows = yield self._by_subject.query({"issuer": issuer, "subject": subject})
        if not rows:
            return None
        row, place = tuple(rows[0]), len(_IDENTITY_COLUMNS)
        return self._identity_of(row[:place]), self._user_of(row[place:])
