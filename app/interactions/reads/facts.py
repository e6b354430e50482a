"""An interaction before and after an event, and filters over both."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from app.core.errors import DomainError
from app.core.events import EventRecord
from app.core.ids import require_id
from app.core.sight import Viewer, parts_of
from app.directory.model import NO_TEAM
from app.feed import Entry
from app.feed.stream import Key
from app.interactions.model import Level
from app.interactions.reads.filters import ACCOUNTS, CHAT_TOPICS, ids_of, team_numbers
from app.selection.mapping import ME

Facts = Mapping[str, Any]
"""The items of `filterable` in app/interactions/history.py, `kind` and `interaction_id`."""

Sides = tuple[Facts | None, Facts | None]
"""Before and after; None where the interaction was not there yet, or is not there any more."""

Condition = Callable[[Facts], bool]

ENTERED, UPDATED, LEFT = "ENTERED", "UPDATED", "LEFT"


def sides_of(entry: Entry) -> Sides:
    """The interaction before and after the event, computed once for each entry."""
    if entry.facts is None:
        entry.facts = sides(entry.event)
    found: Sides = entry.facts  # type: ignore[assignment]
    return found


def sides(event: EventRecord) -> Sides:
    """The interaction before and after the event."""
    facts = {
        "kind": event.kind,
        "interaction_id": event.interaction_id,
        "assignee_id": event.assignee_id,
        "customer_id": event.customer_id,
        "level": event.level_after,
    }
    kept, differed = event.data.get("after", {}), event.data.get("before", {})
    is_there = isinstance(kept, dict)
    facts.update(kept if is_there else {})
    before = facts | differed if isinstance(differed, dict) else None
    return before, facts if is_there else None


def seen_sides(event: EventRecord, viewer: Viewer, known: Sides | None = None) -> Sides:
    """The interaction before and after the event, None for each state that the viewer may not see.

    An event that does not tell team and assignee is seen only by viewers of the whole kind."""
    kind = str(event.kind)
    parts = parts_of(viewer.permissions, kind)
    if parts == frozenset() or (parts is not None and "after" not in event.data):
        return None, None
    before, after = sides(event) if known is None else known
    if parts is None:
        return before, after

    def shown(side: Facts | None) -> Facts | None:
        return side if side is not None and viewer.sees(kind, team_of(side), side["assignee_id"]) else None

    return shown(before), shown(after)


def turn_of(sides: Sides, condition: Condition) -> str | None:
    """How the event changes a list of the interactions that meet the condition; None when they never included it."""
    before, after = sides
    was = before is not None and condition(before)
    now = after is not None and condition(after)
    if now:
        return UPDATED if was else ENTERED
    return LEFT if was else None


def condition_of(given: Mapping[str, Any] | None) -> Condition:
    """An `InteractionEventFilter` as a condition on facts. Raises InvalidInput, its path relative to the filter."""
    conditions: list[Condition] = []
    for name, value in (given or {}).items():
        if value is None:
            continue
        if name == "assignee":
            conditions.extend(_ASSIGNEE[key](wanted) for key, wanted in value.items() if wanted is not None)
        else:
            conditions.append(_CONDITIONS[name](value))
    if len(conditions) == 1:
        return conditions[0]
    return lambda facts: all(condition(facts) for condition in conditions)


def as_asked(facts: Facts) -> Facts:
    """The facts with the user whom the attention asks as assignee: the user it is offered to, or else the assignee."""
    asked = facts.get("asked_id")
    return facts if asked is None else {**facts, "assignee_id": asked}


_LISTS = ("labels", "tags", "topics")
_FACETS = {"account_ids": "account", "chat_topic_ids": "account", "statuses": "status", "channels": "channel"}
"""The fact of each condition by a list of values, of which an interaction has one at most; the rarest first."""

_ANY_LEVEL: Collection[Key] = tuple(("level", int(level)) for level in Level)


def values_of(entry: Entry, name: str) -> Collection[object]:
    """The values of an event by which the index of subscriptions finds it: facts of the states before and after."""
    if entry.event.interaction_id is None:
        return ()
    return [value for side in sides_of(entry) if side is not None for value in _values(name, side)]


def _values(name: str, facts: Facts) -> Collection[object]:
    match name:
        case "assignee_id":
            return facts[name], as_asked(facts)[name]
        case "assigned":
            return facts["assignee_id"] is not None, as_asked(facts)["assignee_id"] is not None
        case "labels" | "tags" | "topics" | "reasons":
            return facts.get(name) or ()
    return (_DERIVED[name](facts) if name in _DERIVED else facts.get(name),)


def wanted_keys(given: Mapping[str, Any] | None) -> Collection[Key] | None:
    """Keys of which each event that matches a valid filter has at least one; None for a filter without a condition."""
    conditions = given or {}
    asked = {**conditions, **(conditions.get("assignee") or {})}
    for name, keys in _KEYED:
        value = asked.get(name)
        if value is not None and (found := keys(value)) is not None:
            return found
    return None


def _each(name: str, values: Sequence[str]) -> Collection[Key]:
    return [(name, value) for value in values]


def of_caller(arguments: Mapping[str, Any], user: int) -> Mapping[str, Any]:
    """The arguments of a subscription, with the user's id in place of `me` in its filter."""
    given = arguments.get("filter") or {}
    assignee = given.get("assignee") or {}
    if ME not in assignee.values():
        return arguments
    named = {name: f"usr_{user}" if value == ME else value for name, value in assignee.items()}
    return {**arguments, "filter": {**given, "assignee": named}}


def _user(text: str, name: str) -> int:
    return require_id(text, "usr", path=("assignee", name)).number


def _held_by(text: str) -> Condition:
    wanted = _user(text, "user_id")
    return lambda facts: facts["assignee_id"] == wanted


def _free_or_held_by(text: str) -> Condition:
    wanted = _user(text, "user_id_or_nobody")
    return lambda facts: facts["assignee_id"] is None or facts["assignee_id"] == wanted


def _assigned(wanted: bool) -> Condition:
    return lambda facts: (facts["assignee_id"] is not None) is wanted


def _of_customer(text: str) -> Condition:
    wanted = require_id(text, "cus", path=("customer_id",)).number
    return lambda facts: facts["customer_id"] == wanted


def _level(name: str) -> int:
    return int(Level[name])


def _among(fact: str, read: Callable[[str], object] = str) -> Callable[[list[str]], Condition]:
    def made(names: list[str]) -> Condition:
        wanted = frozenset(read(name) for name in names)
        return lambda facts: facts.get(fact) in wanted

    return made


def _needed(wanted: bool) -> Condition:
    return lambda facts: (facts["level"] is not None) is wanted


def _is_by_bot(facts: Facts) -> bool:
    return facts.get("bot_active", False) is True


def _bot_active(wanted: bool) -> Condition:
    return lambda facts: _is_by_bot(facts) is wanted


def _is_unread(facts: Facts) -> bool:
    return bool(facts.get("unread"))


def _unread(wanted: bool) -> Condition:
    return lambda facts: _is_unread(facts) is wanted


_PREFIXES = {"account_ids": ACCOUNTS, "chat_topic_ids": CHAT_TOPICS}


def _facet_values(name: str, given: Sequence[str]) -> Sequence[str]:
    if name not in _PREFIXES:
        return given
    try:
        return ids_of(given, _PREFIXES[name])
    except DomainError as error:
        error.path = (name, *error.path)
        raise


def _each_facet(name: str, given: Sequence[str]) -> Collection[Key]:
    return _each(_FACETS[name], _facet_values(name, given))


def _facet_among(name: str) -> Callable[[list[str]], Condition]:
    def made(values: list[str]) -> Condition:
        fact, wanted = _FACETS[name], frozenset(_facet_values(name, values))
        return lambda facts: facts.get(fact) in wanted

    return made


def team_of(facts: Facts) -> int:
    """The surrogate of the interaction's team; 0 for none, and in events from before there were teams."""
    found: int = facts.get("team_id") or NO_TEAM
    return found


_DERIVED: Mapping[str, Callable[[Facts], object]] = {"team_id": team_of, "unread": _is_unread, "bot_active": _is_by_bot}


def _teams(given: Sequence[str | None]) -> Sequence[int]:
    try:
        return team_numbers(given)
    except DomainError as error:
        error.path = ("team_ids", *error.path)
        raise


def _team_among(given: list[str | None]) -> Condition:
    wanted = frozenset(_teams(given))
    return lambda facts: team_of(facts) in wanted


def _any_of(name: str) -> Callable[[list[str]], Condition]:
    def made(values: list[str]) -> Condition:
        wanted = frozenset(values)
        return lambda facts: not wanted.isdisjoint(facts.get(name) or ())

    return made


_ASSIGNEE: Mapping[str, Callable[[Any], Condition]] = {
    "user_id": _held_by,
    "assigned": _assigned,
    "user_id_or_nobody": _free_or_held_by,
}
_CONDITIONS: Mapping[str, Callable[[Any], Condition]] = {
    "kinds": _among("kind", str.lower),
    "states": _among("state"),
    "customer_id": _of_customer,
    "labels": _any_of("labels"),
    "tags": _any_of("tags"),
    "topics": _any_of("topics"),
    "attention_needed": _needed,
    "reasons": _any_of("reasons"),
    "levels": _among("level", _level),
    "bot_active": _bot_active,
    "unread": _unread,
    "team_ids": _team_among,
    **{name: _facet_among(name) for name in _FACETS},
}

_KEYED: Sequence[tuple[str, Callable[[Any], Collection[Key] | None]]] = (
    ("customer_id", lambda text: [("customer_id", require_id(text, "cus").number)]),
    ("user_id", lambda text: [("assignee_id", _user(text, "user_id"))]),
    *((name, partial(_each, name)) for name in _LISTS),
    *((name, partial(_each_facet, name)) for name in _FACETS),
    ("team_ids", lambda given: [("team_id", number) for number in _teams(given)]),
    ("user_id_or_nobody", lambda text: [("assignee_id", None), ("assignee_id", _user(text, "user_id_or_nobody"))]),
    ("reasons", partial(_each, "reasons")),
    ("levels", lambda names: [("level", _level(name)) for name in names]),
    ("attention_needed", lambda wanted: _ANY_LEVEL if wanted else None),
    ("kinds", lambda names: [("kind", name.lower()) for name in names]),
    ("states", partial(_each, "state")),
    ("unread", lambda wanted: [("unread", wanted)]),
    ("bot_active", lambda wanted: [("bot_active", wanted)]),
    ("assigned", lambda wanted: [("assigned", wanted)]),
    ("attention_needed", lambda _wanted: [("level", None)]),
)
"""The keys of each condition of a filter. The first condition counts: it is met by the fewest events."""
