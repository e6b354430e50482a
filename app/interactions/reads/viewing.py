"""Fields that depend on the viewer: `viewerCan` and `viewers`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from app.core.actor import Actor
from app.core.errors import DomainError
from app.interactions.holders import lost_holder_id
from app.interactions.model import AnyCommand, Command, ReplyBlock
from app.interactions.tables import watch
from app.selection.mapping import Computed, Env, OfInterface, Scope, Sql, SqlOf
from app.settings import Settings

Refusal = Callable[[AnyCommand, Any, Actor, datetime, Settings], DomainError | None]
Block = Callable[[Any, Actor, datetime, Settings], ReplyBlock | None]

_COMMANDS: Mapping[str, AnyCommand] = {command.lower(): command for command in Command}
_LOST_HOLDER = OfInterface(lost_holder_id)
_OF_REPLY = ("reply", "reply_blocked_by")
DOWN = "down"
"""The column of a kind with connections that says whether the connection of the row cannot send now."""


class Subject:
    """A row's columns as attributes: the subject of a kind's `refusal`."""

    def __init__(self, columns: Mapping[str, Any]) -> None:
        self.__dict__.update(columns)


class ViewerCan(Mapping[str, object]):
    """What the actor may do now, by a command's name in small letters; asked only for what is selected.

    `reply` is stricter than the command: it is false as well where a message would be taken and not be delivered."""

    def __init__(
        self, refusal: Refusal, block: Block, commands: Mapping[str, AnyCommand], subject: Subject, env: Env
    ) -> None:
        self._refusal = refusal
        self._commands = commands
        self._block = block
        self._subject = subject
        self._env = env

    def __getitem__(self, name: str) -> object:
        env = self._env
        if name in _OF_REPLY:
            block = self._block(self._subject, env.actor, env.now, env.settings)
            if block is None and getattr(self._subject, DOWN, False):
                block = ReplyBlock.CONNECTION_DOWN
            return block is None if name == "reply" else block
        command = self._commands.get(name)
        # Of another kind.
        if command is None:
            return False
        return self._refusal(command, self._subject, env.actor, env.now, env.settings) is None

    def __iter__(self) -> Iterator[str]:
        return iter((*self._commands, "reply_blocked_by"))

    def __len__(self) -> int:
        return len(self._commands) + 1


def viewer_can(
    refusal: Refusal,
    block: Block,
    columns: Sequence[str] | Mapping[str, str | SqlOf | OfInterface],
    own: Iterable[AnyCommand] = (),
) -> Computed:
    """The field `viewerCan` of a kind: its `refusal`, why a reply is blocked, the columns that both look at, and the
    kind's own commands.

    A mapping gives columns that another table has, or that go by another name, as expressions. The subject is a row,
    so enums are their names and `attention_level` is a number."""
    names = tuple(columns)
    of = columns if isinstance(columns, Mapping) else {name: name for name in columns}
    read = tuple(_LOST_HOLDER if name == "lost_holder_id" else column for name, column in of.items())

    commands = {**_COMMANDS, **{command.lower(): command for command in own}}

    def fn(env: Env, *values: Any) -> ViewerCan:
        return ViewerCan(refusal, block, commands, Subject(dict(zip(names, values, strict=True))), env)

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
