"""The streams of subscriptions to interactions."""

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any

from app.core.errors import DomainError, Forbidden, InvalidInput, NotFound
from app.core.events import ANY_KIND, event_id, topic_name
from app.core.ids import parse_id
from app.core.sight import Viewer
from app.feed import Entry, EventStream, Stream
from app.feed.stream import Key, Match
from app.interactions.events import Typing, Updated
from app.interactions.meaning import Audience, meaning
from app.interactions.reads.facts import (
    LEFT,
    Condition,
    as_asked,
    condition_of,
    of_caller,
    seen_sides,
    sides_of,
    turn_of,
    values_of,
    wanted_keys,
)
from app.interactions.reads.log import EVENT, event_item
from app.interactions.watched import ATTENTION, Subject
from app.selection.mapping import SOME, ObjectMap, Permissions, granted

TYPING_LASTS = timedelta(seconds=6)
"""How long after its event somebody counts as typing."""

_TYPING, _TYPED = "TYPING", "TYPED"
_OUT_OF_SIGHT = "OUT_OF_SIGHT"

CHANGE = ObjectMap("InteractionEvent", {**EVENT, "interactionId": "ref"})
TYPING = ObjectMap("Typing", {"interactionId": "ref"})

Arguments = Mapping[str, Any]


class InteractionStreams:
    """The streams over interactions; `kinds` gives each prefix of their ids its kind's name."""

    def __init__(self, kinds: Mapping[str, str]) -> None:
        self._kinds = kinds
        self._prefixes = {kind: prefix for prefix, kind in kinds.items()}

    def streams(self) -> Mapping[str, Stream]:
        """The streams by the names of their subscription fields."""
        return {
            "interactionChanged": self._of_changes(self._changed, watches=self._viewed),
            "messageAdded": self._of_changes(self._message_added),
            "typingChanged": EventStream(
                "Typing",
                self._typing,
                self._typing_row,
                durable=False,
                of_caller=lambda arguments, user: {**arguments, "viewer": user},
                keys=_keys,
                values_of=values_of,
            ),
        }

    def attention(self) -> EventStream:
        """The stream of the attention queue: what enters it, leaves it, or stands differently in it."""
        return self._of_changes(self._attention_changed, watches=self._listened, keys=_attention_keys)

    def _of_changes(
        self,
        match: Callable[[Viewer, Arguments], Match],
        watches: Callable[[Permissions, Arguments], Subject | None] = lambda _permissions, _arguments: None,
        keys: Callable[[Arguments], Collection[Key] | None] | None = None,
    ) -> EventStream:
        by = _keys if keys is None else keys
        return EventStream(
            "InteractionEvent", match, self.row, of_caller=of_caller, watches=watches, keys=by, values_of=values_of
        )

    def row(self, entry: Entry, change: str) -> Mapping[str, object]:
        event = entry.event
        if change == _OUT_OF_SIGHT:
            return self._left(entry)
        return {
            **event_item(entry.logged, entry.cursor_text),
            "change": change,
            "ref": self._ref(entry),
            "reason_before": event.data.get("reason_before"),
            "reason_after": event.data.get("reason_after"),
        }

    def _left(self, entry: Entry) -> Mapping[str, object]:
        """An item with the id alone: the viewer may not see the rest any more."""
        nothing: dict[str, object] = dict.fromkeys(event_item(entry.logged, entry.cursor_text))
        told = {"cursor": entry.cursor_text, "id": event_id(entry.event.interaction_id, entry.logged.position)}
        topic = topic_name(Updated.topic, ANY_KIND)
        shown = {"at": entry.logged.at, "topic": topic, "kind": str(entry.event.kind).upper(), "changes": []}
        return {**nothing, **told, **shown, "change": LEFT, "ref": self._ref(entry)}

    def _changed(self, viewer: Viewer, arguments: Arguments) -> Match:
        condition = self._condition(viewer.permissions, arguments, "id")
        # Who looks is of interest to others who look, and no change of what a list shows.
        alone = arguments.get("id") is not None

        def match(entry: Entry) -> str | None:
            audience = meaning(entry.type).audience
            told = audience is Audience.ALL or (alone and audience is Audience.VIEWERS)
            if entry.event.interaction_id is None or not told:
                return None
            return _turn(entry, viewer, condition)

        return match

    def _message_added(self, viewer: Viewer, arguments: Arguments) -> Match:
        condition = self._condition(viewer.permissions, arguments, "interaction_id")

        def match(entry: Entry) -> str | None:
            if entry.event.interaction_id is None or not meaning(entry.type).brings_message:
                return None
            return _turn(entry, viewer, condition)

        return match

    def _attention_changed(self, viewer: Viewer, arguments: Arguments) -> Match:
        wanted = _filtered(arguments)

        def condition(facts: Mapping[str, Any]) -> bool:
            return facts["level"] is not None and wanted(as_asked(facts))

        def match(entry: Entry) -> str | None:
            event = entry.event
            # Where the attention's own event follows, that one is sent in place of its cause.
            if event.interaction_id is None or "attention" in event.data:
                return None
            turn = _turn(entry, viewer, condition)
            return turn if turn != "UPDATED" or _stands_differently(entry) else None

        return match

    def _typing(self, viewer: Viewer, arguments: Arguments) -> Match:
        wanted = self._wanted(viewer.permissions, arguments["interaction_id"], "interaction_id")
        listener = arguments["viewer"]

        def match(entry: Entry) -> str | None:
            event = entry.event
            if (event.kind, event.interaction_id) != wanted or event.actor_id in (None, listener):
                return None
            if seen_sides(event, viewer, sides_of(entry))[1] is None:
                return None
            if entry.type is Typing:
                return _TYPING
            return _TYPED if meaning(entry.type).ends_typing else None

        return match

    def _typing_row(self, entry: Entry, as_what: str) -> Mapping[str, object]:
        at = entry.logged.at
        until = at + TYPING_LASTS if as_what == _TYPING else at
        return {"ref": self._ref(entry), "user": entry.event.actor_id, "at": at, "until": until}

    def _ref(self, entry: Entry) -> str:
        return f"{self._prefixes[str(entry.event.kind)]}_{entry.event.interaction_id}"

    def _condition(self, permissions: Permissions, arguments: Arguments, name: str) -> Condition:
        text = arguments.get(name)
        if text is None:
            return _filtered(arguments)
        if arguments.get("filter") is not None:
            raise InvalidInput(f"Give either {name} or filter, not both.", path=("filter",))
        wanted = self._wanted(permissions, text, name)
        return lambda facts: (facts["kind"], facts["interaction_id"]) == wanted

    def _wanted(self, permissions: Permissions, text: str, name: str) -> tuple[str, int]:
        """The kind, which the permission was asked for, and the surrogate: another kind may have the same one."""
        found = parse_id(str(text))
        kind = None if found is None else self._kinds.get(found.prefix)
        if found is None or kind is None:
            raise NotFound(f"There is no interaction {text[:80]!r}.", path=(name,))
        if not granted(permissions, f"{kind}:read{SOME}"):
            raise Forbidden(f"This needs the permission {kind}:read.", permission=f"{kind}:read")
        return kind, found.number

    def _listened(self, permissions: Permissions, arguments: Arguments) -> Subject | None:
        """The attention queue, where the listener may see interactions of a kind that its filter lets through."""
        asked = (arguments.get("filter") or {}).get("kinds")
        kinds = self._prefixes if asked is None else [name.lower() for name in asked]
        return (None, ATTENTION) if any(granted(permissions, f"{kind}:read{SOME}") for kind in kinds) else None

    def _viewed(self, _permissions: Permissions, arguments: Arguments) -> Subject | None:
        if not arguments.get("viewing"):
            return None
        found = parse_id(str(arguments.get("id") or ""))
        if found is None:
            raise InvalidInput("viewing needs the id of an interaction.", path=("viewing",))
        return self._kinds[found.prefix], found.number


def _turn(entry: Entry, viewer: Viewer, condition: Condition) -> str | None:
    """How the event changes the viewer's list of interactions that meet the condition; None when it never included
    it."""
    known = sides_of(entry)
    seen = seen_sides(entry.event, viewer, known)
    turn = turn_of(seen, condition)
    return _OUT_OF_SIGHT if turn == LEFT and known[1] is not None and seen[1] is None else turn


def _keys(arguments: Arguments) -> Collection[Key] | None:
    text = arguments.get("id") or arguments.get("interaction_id")
    found = None if text is None else parse_id(str(text))
    return wanted_keys(arguments.get("filter")) if found is None else (("interaction_id", found.number),)


def _attention_keys(arguments: Arguments) -> Collection[Key] | None:
    return wanted_keys({**(arguments.get("filter") or {}), "attention_needed": True})


def _stands_differently(entry: Entry) -> bool:
    """Whether the attention queue shows the interaction differently than before: its reason, holder or
    acknowledgement."""
    if meaning(entry.type).moves_queue:
        return True
    changes: Any = entry.event.data.get("changes") or ()
    return any(change["field"] in ("assignee", "transferTo", "claimedUntil") for change in changes)


def _filtered(arguments: Arguments) -> Condition:
    try:
        return condition_of(arguments.get("filter"))
    except DomainError as error:
        error.path = ("filter", *error.path)
        raise
