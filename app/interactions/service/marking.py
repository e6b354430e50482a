"""Marks for reports that follow from a change."""

from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from app.core.actor import SYSTEM, Actor
from app.core.replacing import replace
from app.interactions.marks import Mark, Outcome
from app.interactions.model import MISSED, AnyCommand, Command, Interaction, State
from app.interactions.repository.marks import MarkRepository

if TYPE_CHECKING:
    from app.storage.work import Work

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures


def opening(new: I) -> I:
    """A new interaction with the start of its resolution time; one that is over already has none."""
    return new if new.state is State.CLOSED else replace(new, opened_at=new.created_at)


def mark_opened(work: "Work", stored: Interaction) -> None:
    """Add the mark of a new interaction whose customer was missed at once."""
    if MISSED in stored.attention.reasons:
        work.use(MarkRepository).add(_mark(stored, stored.assignee_id, work.now, missed=True))


def marked(work: "Work", actor: Actor, before: I, after: I, command: AnyCommand) -> I:
    """Add the marks of the change; the interaction as it is to be saved."""
    after = _resumed(work, before, after, command)
    outcome = _outcome(before, after)
    closes = before.state is not State.CLOSED and after.state is State.CLOSED
    reopens = before.state is State.CLOSED and after.state is not State.CLOSED
    missed = MISSED in after.attention.reasons and MISSED not in before.attention.reasons and not reopens
    opened_at = before.opened_at if closes else None
    if outcome is not None or opened_at is not None or reopens or missed:
        at, user_id = _when_and_who(work, actor, before, after, outcome, closes=closes)
        is_first = outcome is Outcome.ANSWERED and after.first_waited_since is None
        waited_since = None if outcome is None else before.waiting.since
        made = _mark(
            after,
            user_id,
            max(filter(None, (at, waited_since, opened_at))),
            waited_since=waited_since,
            outcome=outcome,
            is_first=is_first,
            opened_at=opened_at,
            reopened=reopens,
            missed=missed,
        )
        work.use(MarkRepository).add(made)
        if is_first:
            after = replace(after, first_waited_since=waited_since)
    return replace(after, opened_at=work.now) if reopens else after


def _resumed(work: "Work", before: I, after: I, command: AnyCommand) -> I:
    """The interaction without its first answer, when the wait that the answer had ended goes on."""
    since, began = before.waiting.since, after.waiting.since
    if command is Command.RECEIVE or began is None or (since is not None and began >= since):
        return after
    work.use(MarkRepository).retract(after.id, began)
    first = after.first_waited_since
    return after if first is None or first < began else replace(after, first_waited_since=None)


def _outcome(before: Interaction, after: Interaction) -> Outcome | None:
    """How the customer's wait ended; None when it did not, or when the customer's messages were deleted."""
    since, now = before.waiting.since, after.waiting.since
    if since is None or (now is not None and now <= since):
        return None
    answer = after.waiting.answer
    if answer is not None:
        return Outcome.ANSWERED_BY_BOT if answer.by_bot else Outcome.ANSWERED
    return Outcome.CLOSED if after.waiting.settled_id != before.waiting.settled_id else None


def _when_and_who(
    work: "Work", actor: Actor, before: Interaction, after: Interaction, outcome: Outcome | None, *, closes: bool
) -> tuple[datetime, int | None]:
    answer = after.waiting.answer
    if answer is not None and outcome is not None:
        return answer.at, answer.user_id
    if not closes:
        return work.now, before.assignee_id
    # What time alone ends was over with its last message.
    at = before.last_message_at if actor is SYSTEM else None
    return at or work.now, actor.user_id or before.assignee_id


def _mark(
    of: Interaction,
    user_id: int | None,
    at: datetime,
    *,
    waited_since: datetime | None = None,
    outcome: Outcome | None = None,
    is_first: bool = False,
    opened_at: datetime | None = None,
    reopened: bool = False,
    missed: bool = False,
) -> Mark:
    return Mark(
        interaction_id=of.id,
        kind=of.kind,
        team_id=of.team_id,
        user_id=user_id,
        account=of.facets.account,
        at=at,
        waited_since=waited_since,
        outcome=outcome,
        is_first=is_first,
        opened_at=opened_at,
        reopened=reopened,
        missed=missed,
    )
