"""Users and their API keys."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.core.errors import AlreadyExists
from app.core.text import key_form
from app.directory.model import ADMIN, ApiKey, User, UserType
from app.directory.repository.rows import Rows, pairs
from app.directory.tables import api_key, app_user, app_user_word


class UserRepository(Rows[User]):
    """Named queries over users."""

    model = User
    rows = app_user
    word_table = app_user_word
    readers = {"roles": tuple, "permissions": tuple, "team_ids": tuple, "type": UserType, "granted_at": pairs}  # noqa: RUF012 - declared by the base
    writers = {"granted_at": dict}  # noqa: RUF012 - declared by the base
    # A user is never deleted, so messages that refer to it need not wait while it changes.
    shares_key = True

    def taken(self, model: User) -> AlreadyExists:
        return AlreadyExists(f"There already is a user with the login {model.login}.", path=("login",))

    def get_by_login(self, login: str, *, for_update: bool = False) -> User | None:
        """The user with this login, ignoring case and accents."""
        return self._find_by(for_update=for_update, login_key=key_form(login))

    def list_by_email(self, email: str) -> Sequence[User]:
        """The users with this e-mail address, ignoring the case of ASCII letters; locked, in order of their
        surrogates."""
        is_it = sa.func.lower(app_user.c.email) == email.lower() if email.isascii() else app_user.c.email == email
        statement = sa.select(*self._columns()).where(is_it).order_by(app_user.c.id)
        return [self._model(row) for row in self._all(statement.with_for_update(key_share=True))]

    def known(self, numbers: Iterable[int]) -> Collection[int]:
        """Those of the surrogates that belong to users."""
        rows = self._all(sa.select(app_user.c.id).where(app_user.c.id.in_(list(numbers))))
        return [row.id for row in rows]

    def lock_admins(self) -> Sequence[int]:
        """The surrogates of the active admins, locked in order, so that two admins cannot remove each other at once."""
        statement = (
            sa.select(app_user.c.id)
            .where(app_user.c.active, sa.cast(app_user.c.roles, sa.Text).contains(f'"{ADMIN}"', autoescape=True))
            .order_by(app_user.c.id)
        )
        return [row.id for row in self._all(statement.with_for_update(key_share=True))]

    def any_admin(self, numbers: Collection[int]) -> bool:
        """Whether one of these users has the role of an admin."""
        roles = sa.cast(app_user.c.roles, sa.Text)
        found = sa.select(app_user.c.id).where(
            app_user.c.id.in_(numbers), roles.contains(f'"{ADMIN}"', autoescape=True)
        )
        return self._one(found.limit(1)) is not None

    def set_presence(self, user: User, *, present: bool, at: datetime) -> User:
        """Record whether chats may be offered to the user. This is not an edit, so the version stays."""
        self.connection.execute(
            sa.update(app_user).where(app_user.c.id == user.id).values(present=present, presence_changed_at=at)
        )
        return replace(user, present=present, presence_changed_at=at)

    def end_sessions(self, user: User, at: datetime) -> User:
        """Record that earlier tokens of the locked user are no longer valid. This is not an edit, so the version
        stays."""
        self.connection.execute(sa.update(app_user).where(app_user.c.id == user.id).values(sessions_ended_at=at))
        return replace(user, sessions_ended_at=at)

    def set_teams(self, user: User, teams: Collection[int]) -> User:
        """Record which teams the locked user is in. This is not an edit, so the version stays."""
        after = replace(user, team_ids=tuple(sorted(teams)))
        self.connection.execute(
            sa.update(app_user).where(app_user.c.id == user.id).values(team_ids=list(after.team_ids))
        )
        return after

    def _values(self, model: User) -> dict[str, Any]:
        return {**super()._values(model), "login_key": model.login_key}


class ApiKeyRepository(Rows[ApiKey]):
    """Named queries over API keys."""

    model = ApiKey
    rows = api_key
    readers = {"permissions": tuple}  # noqa: RUF012 - declared by the base

    def taken(self, model: ApiKey) -> AlreadyExists:
        return AlreadyExists(f"There already is a key that begins with {model.prefix}.")

    def get_by_prefix(self, prefix: str) -> ApiKey | None:
        """The only key that a token with this prefix can be."""
        return self._find(api_key.c.prefix == prefix)

    def list_of(self, user_id: int) -> Sequence[ApiKey]:
        """The user's keys, oldest first, with revoked and expired ones."""
        statement = sa.select(*self._columns()).where(api_key.c.user_id == user_id).order_by(api_key.c.id)
        return [self._model(row) for row in self._all(statement)]

    def count_usable(self, user_id: int, now: datetime) -> int:
        """How many keys of the user are neither revoked nor expired."""
        statement = sa.select(sa.func.count()).where(api_key.c.user_id == user_id, _usable(now))
        return int(self.connection.execute(statement).scalar_one())

    def usable_by_pepper(self, now: datetime) -> Mapping[int | None, int]:
        """For each pepper, how many of its keys are neither revoked nor expired."""
        statement = sa.select(api_key.c.pepper_id, sa.func.count().label("valid")).where(_usable(now))
        return {row.pepper_id: row.valid for row in self._all(statement.group_by(api_key.c.pepper_id))}

    def made_by(self, key_id: int) -> Sequence[ApiKey]:
        """The keys that this one made, and those that they made, which are not revoked; locked, in order of their
        surrogates."""
        made = sa.select(api_key.c.id).where(api_key.c.made_by_id == key_id).cte("made", recursive=True)
        # UNION, not UNION ALL: each key once.
        made = made.union(sa.select(api_key.c.id).join(made, api_key.c.made_by_id == made.c.id))
        statement = (
            sa.select(*self._columns())
            .where(api_key.c.id.in_(sa.select(made.c.id)), api_key.c.revoked_at.is_(None))
            .order_by(api_key.c.id)
        )
        return [self._model(row) for row in self._all(statement.with_for_update())]

    def not_digested_with(self, pepper_id: int) -> Sequence[ApiKey]:
        """The keys that are not revoked and are digested with another pepper; locked, in order of their surrogates."""
        statement = (
            sa.select(*self._columns())
            .where(api_key.c.revoked_at.is_(None), api_key.c.pepper_id.is_distinct_from(pepper_id))
            .order_by(api_key.c.id)
        )
        return [self._model(row) for row in self._all(statement.with_for_update())]

    def revoke(self, keys: Sequence[ApiKey], at: datetime) -> None:
        """Record for all these keys, in one statement, that they are revoked."""
        ids = [key.id for key in keys]
        self.connection.execute(sa.update(api_key).where(api_key.c.id.in_(ids)).values(revoked_at=at))


def _usable(now: datetime) -> sa.ColumnElement[bool]:
    unexpired = sa.or_(api_key.c.expires_at.is_(None), api_key.c.expires_at > now)
    return sa.and_(api_key.c.revoked_at.is_(None), unexpired)
