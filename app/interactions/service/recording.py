"""The events of a change: what happened, and what it did to the attention."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.core.actor import Actor
from app.core.events import Event
from app.interactions.history import changes, filterable
from app.interactions.model import Attention, Interaction

if TYPE_CHECKING:
    from app.storage.work import Work

_OF_EVENT = frozenset({"assignee_id", "customer_id", "level"})


def record(
    work: "Work",
    actor: Actor,
    before: Interaction | None,
    after: Interaction,
    topic: str,
    data: Mapping[str, object] | None = None,
    *,
    renewed: bool = False,
    is_gone: bool = False,
) -> None:
    """Tell of a change, and of what it did to the attention. A topic without a dot is the kind's own.

    Beside `data` the event holds what filters ask: `after`, without what the event's own fields say, and `before` as
    far as it differs; null where the interaction was not there yet, or `is_gone`."""
    was = Attention() if before is None else before.attention
    now = after.attention
    facts: dict[str, object] = {} if data is None else dict(data)
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
    verb = _past_of_attention(was, now, renewed)
    if verb is not None:
        facts["attention"] = verb

    def event(name: str, holds: Mapping[str, object]) -> Event:
        return Event(
            topic=name,
            kind=after.kind,
            interaction_id=after.id,
            customer_id=after.customer_id,
            assignee_id=after.assignee_id,
            actor_id=actor.user_id or None,
            version=after.version,
            level_before=None if was.level is None else int(was.level),
            level_after=None if now.level is None else int(now.level),
            data=holds,
        )

    work.record(event(topic if "." in topic else f"{after.kind}.{topic}", facts))
    if verb is not None:
        holds: dict[str, object] = {"reason_before": was.reason, "reason_after": now.reason, "after": facts["after"]}
        if "before" in facts:
            holds["before"] = facts["before"]
        work.record(event(f"attention.{verb}", holds))


def _past_of_attention(was: Attention, now: Attention, renewed: bool) -> str | None:
    """What happened to the attention; None when nothing did that a listener has to know."""
    if (was.level, was.reason) != (now.level, now.reason):
        return "changed" if was.needed and now.needed else "raised" if now.needed else "cleared"
    return "renewed" if renewed and now.needed else None
