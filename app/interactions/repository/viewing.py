"""What of an interaction is computed for the one who looks: what they may do, who else is looking."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from app.core.actor import Actor
from app.core.errors import DomainError
from app.interactions.model import Command
from app.interactions.tables import watch
from app.selection.mapping import Computed, Env, Scope, Sql, SqlOf
from app.settings import Settings

Refusal = Callable[[Command, Any, Actor, datetime, Settings], DomainError | None]

_COMMANDS = {command.lower(): command for command in Command}


class Subject:
    """A row's columns as attributes: what a kind's `refusal` is asked about."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self.__dict__.update(columns)


class ViewerCan(Mapping[str, bool]):
    """What the actor may do now, by a command's name in small letters; asked only for what is selected."""

    def __init__(self, refusal: Refusal, subject: Subject, env: Env) -> None:
        self._refusal = refusal
        self._subject = subject
        self._env = env

    def __getitem__(self, name: str) -> bool:
        env = self._env
        return self._refusal(_COMMANDS[name], self._subject, env.actor, env.now, env.settings) is None

    def __iter__(self) -> Iterator[str]:
        return iter(_COMMANDS)

    def __len__(self) -> int:
        return len(_COMMANDS)


def viewer_can(refusal: Refusal, columns: Sequence[str] | Mapping[str, str | SqlOf]) -> Computed:
    """The field `viewerCan` of a kind: its `refusal`, and the columns that this looks at.

    A mapping gives columns that another table has, or that go by another name, as expressions. The subject is a row,
    so enums are their names and `attention_level` is a number."""
    names = tuple(columns)
    read = tuple(columns.values()) if isinstance(columns, Mapping) else names

    def fn(env: Env, *values: Any) -> ViewerCan:
        return ViewerCan(refusal, Subject(dict(zip(names, values, strict=True))), env)

    return Computed(read, fn, type="ViewerCan", personal=True)


def _leases(scope: Scope) -> Sql:
    """Who looks at the interaction and until when, as `user moment,user moment`."""
    lease = sa.cast(watch.c.user_id, sa.Text) + sa.literal_column("' '") + sa.cast(watch.c.until, sa.Text)
    return (
        sa.select(sa.func.aggregate_strings(lease, ","))
        .where(watch.c.subject == scope.c.id)
        .correlate(scope.c.id.table)
        .scalar_subquery()
    )


def _viewers(env: Env, leases: str | None) -> Sequence[Mapping[str, object]]:
    found: dict[int, datetime] = {}
    for lease in leases.split(",") if leases else ():
        user, moment = lease.split(" ", 1)
        until = datetime.fromisoformat(moment).astimezone(UTC)
        # Several processes may know the same user.
        if until > found.get(int(user), env.now):
            found[int(user)] = until
    return [{"user": user, "until": until} for user, until in sorted(found.items())]


VIEWERS = Computed((_leases,), _viewers, type="InteractionViewer", many=True)
"""The field `viewers`: those whose lease has not ended."""
