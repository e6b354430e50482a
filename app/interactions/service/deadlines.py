"""Fires due deadlines of interactions, as commands without an actor.

An interaction is looked at when its `due_at` comes up. Its kind says what is due by then; when that is nothing, because
a message or a command moved the deadline away, `due_at` is set to the next one, and nothing else happens. What is due
is read from the interaction itself, under its lock, so whoever comes second finds it done.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.core.actor import SYSTEM
from app.core.ids import GlobalId
from app.interactions.events import ClaimLapsed, Refreshed
from app.interactions.meaning import InteractionEvent
from app.interactions.model import Command
from app.interactions.repository.deadlines import DeadlineRepository, Due
from app.interactions.service.change import erase, next_due, settle, write
from app.interactions.service.holding import lapsed

if TYPE_CHECKING:
    from app.interactions.rules import KindRules
    from app.storage.work import Work

_FIRST_PAUSE = timedelta(seconds=1)
_DOUBLINGS = 10


@dataclass(frozen=True, slots=True)
class Failure:
    """A deadline whose change failed; it is retried after `pause`."""

    ref: str
    error: Exception
    pause: timedelta


@dataclass(frozen=True, slots=True)
class Looked:
    """The result of a batch: how many interactions were looked at, how many changed, of how many only the deadline
    moved, and what failed. `last` is the surrogate of the last one, 0 when there was none."""

    found: int
    changed: int
    moved: int
    failures: tuple[Failure, ...]
    last: int


def fire_due(work: "Work", most: int) -> Looked:
    """Fire the deadlines of at most `most` interactions, the longest due first. A failure does not stop the others.

    Call it again until it has found fewer than `most`."""
    return _each(work, work.use(DeadlineRepository).claim(work.now, most))


def recompute(work: "Work", after: int, most: int) -> Looked:
    """Derive state, attention and deadlines of the `most` interactions after the surrogate `after`, with the current
    settings and time. Call it again with `last` until it finds none."""
    return _each(work, work.use(DeadlineRepository).list_after(after, most))


def _each(work: "Work", batch: Sequence[Due]) -> Looked:
    changed, moved, failures = 0, 0, []
    for one in batch:
        told = len(work.events)
        try:
            with work.connection.begin_nested():
                rearmed = _turn(work, one)
        except Exception as error:
            del work.events[told:]
            pause = _FIRST_PAUSE * 2 ** min(one.failures, _DOUBLINGS)
            work.use(DeadlineRepository).arm(one.id, work.now + pause, one.failures + 1)
            failures.append(Failure(_ref(work, one), error, pause))
            continue
        if len(work.events) > told:
            changed += 1
        else:
            moved += rearmed
    return Looked(len(batch), changed, moved, tuple(failures), batch[-1].id if batch else 0)


def _turn(work: "Work", due: Due) -> bool:
    """Apply the changes that are due to one interaction and set its next deadline.

    Returns whether only the deadline was moved."""
    kind: KindRules[Any] = work.kinds[due.kind]
    found = kind.load(work, due.id)
    if found is None:
        return False
    after = lapsed(work, SYSTEM, found)
    if after is not found:
        after = _written(work, kind, found, after, Command.ASSIGN, ClaimLapsed())
    turn = kind.turn(after, work.now, work.settings)
    if turn is not None and turn.after is None:
        erase(work, SYSTEM, after, turn.happened)
        return False
    happened, changed = (Refreshed(), after) if turn is None else (turn.happened, turn.after)
    after = _written(work, kind, after, changed, Command.UPDATE, happened)
    due_at = next_due(kind, after, work.now, work.settings)
    moved: bool = due_at != after.due_at
    if moved or due.failures:
        work.use(DeadlineRepository).arm(after.id, due_at)
    return moved


def _written(
    work: "Work", kind: "KindRules[Any]", before: Any, changed: Any, command: Command, happened: InteractionEvent
) -> Any:
    if settle(work, kind, changed) == before:
        return before
    # Without the deadline that came up, the next one is found anew and saved along, even where it is later.
    return write(work, SYSTEM, before, replace(changed, due_at=None), command, happened)


def _ref(work: "Work", one: Due) -> str:
    kind = work.kinds.get(one.kind)
    return str(one.id) if kind is None else str(GlobalId(kind.prefix, one.id))
