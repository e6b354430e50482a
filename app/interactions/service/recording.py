"""Records the events of a change, including those of attention."""

from typing import TYPE_CHECKING

from app.core.actor import Actor
from app.core.events import EventRecord
from app.interactions.events import (
    AttentionChanged,
    AttentionCleared,
    AttentionEvent,
    AttentionRaised,
    AttentionRenewed,
)
from app.interactions.history import changes, filterable
from app.interactions.meaning import InteractionEvent
from app.interactions.model import Attention, Interaction

if TYPE_CHECKING:
    from app.storage.work import Work

_OF_EVENT = frozenset({"assignee_id", "customer_id", "level"})


def record(
    work: "Work",
    actor: Actor,
    before: Interaction | None,
    after: Interaction,
    happened: InteractionEvent,
    *,
    renewed: bool = False,
    is_gone: bool = False,
) -> None:
    """Tell of a change, and of what it did to the attention.

    Beside the event's fields the record holds what filters ask: `after`, without what the record's own fields say, and
    `before` as far as it differs; null where the interaction was not there yet, or `is_gone`."""
    was = Attention() if before is None else before.attention
    now = after.attention
    facts: dict[str, object] = {}
    new = filterable(after)
    if before is None:
        facts["before"] = None
    else:
        if changed := list(changes(before, after)):
            facts["changes"] = changed
        old = filterable(before)
        different = {name: old.get(name) for name in {**old, **new} if is_gone or old.get(name) != new.get(name)}
        if different:
            facts["before"] = different
    facts["after"] = None if is_gone else {name: value for name, value in new.items() if name not in _OF_EVENT}
    following = _of_attention(was, now, renewed)
    if following is not None:
        facts["attention"] = following.verb

    def kept(told: InteractionEvent, more: dict[str, object]) -> EventRecord:
        return told.record(
            kind=after.kind,
            interaction_id=after.id,
            customer_id=after.customer_id,
            assignee_id=after.assignee_id,
            actor_id=actor.user_id or None,
            version=after.version,
            level_before=None if was.level is None else int(was.level),
            level_after=None if now.level is None else int(now.level),
            more=more,
        )

    work.record(kept(happened, facts))
    if following is not None:
        work.record(kept(following, {name: facts[name] for name in ("after", "before") if name in facts}))


def _of_attention(was: Attention, now: Attention, renewed: bool) -> AttentionEvent | None:
    """The event of the attention's change; None when listeners need not know of it."""
    if (was.level, was.reason) != (now.level, now.reason):
        begun = AttentionChanged if was.needed else AttentionRaised
        of: type[AttentionEvent] = begun if now.needed else AttentionCleared
    elif renewed and now.needed:
        of = AttentionRenewed
    else:
        return None
    return of(reason_before=was.reason, reason_after=now.reason)
