"""An interaction before and after an event, and filters over both."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from app.core.errors import DomainError
from app.core.events import EventRecord
from app.core.ids import require_id
from app.core.sight import Viewer, parts_of
from app.directory.model import NO_TEAM
from app.feed import Entry
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
    common = {
        "kind": event.kind,
        "interaction_id": event.interaction_id,
        "assignee_id": event.assignee_id,
        "customer_id": event.customer_id,
        "level": event.level_after,
    }
    kept, differed = event.data.get("after", {}), event.data.get("before", {})
    after = common | kept if isinstance(kept, dict) else None
    before = (after or common) | differed if isinstance(differed, dict) else None
    return before, after


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


Key = tuple[str, object]
"""The name of a fact and a value of it, or one of its values."""

_LISTS = ("labels", "tags", "topics")
_FACETS = {"account_ids": "account", "chat_topic_ids": "account", "statuses": "status", "channels": "channel"}
"""The fact of each condition by a list of values, of which an interaction has one at most; the rarest first."""

ANY_LEVEL: Collection[Key] = tuple(("level", int(level)) for level in Level)
"""Each event of an interaction that needs a human, or did before, has one of these keys."""


def keys_of(entry: Entry) -> Collection[Key]:
    """The keys of an event in the index of subscriptions: facts of the states before and after."""
    found: set[Key] = set()
    if entry.event.interaction_id is None:
        return found
    found.add(("interaction_id", entry.event.interaction_id))
    for side in sides_of(entry):
        if side is not None:
            found.add(("assignee_id", side["assignee_id"]))
            found.add(("assignee_id", as_asked(side)["assignee_id"]))
            found.add(("customer_id", side["customer_id"]))
            found.update((name, value) for name in _LISTS for value in side.get(name) or ())
            found.update((name, side[name]) for name in _FACETS.values() if side.get(name))
            found.update(("reasons", value) for value in side.get("reasons") or ())
            found.update({("team_id", team_of(side)), ("level", side["level"]), ("kind", side["kind"])})
    return found


def wanted_keys(given: Mapping[str, Any] | None) -> Collection[Key] | None:
    """Keys of which each event that matches a valid filter has at least one; None where a matching event may have
    none."""
    given = given or {}
    if given.get("customer_id") is not None:
        return [("customer_id", require_id(given["customer_id"], "cus").number)]
    assignee = given.get("assignee") or {}
    if assignee.get("user_id") is not None:
        return [("assignee_id", _user(assignee["user_id"], "user_id"))]
    for name in _LISTS:
        if given.get(name) is not None:
            return [(name, value) for value in given[name]]
    for name, fact in _FACETS.items():
        if given.get(name) is not None:
            return [(fact, value) for value in _facet_values(name, given[name])]
    if given.get("team_ids") is not None:
        return [("team_id", number) for number in _teams(given["team_ids"])]
    if assignee.get("user_id_or_nobody") is not None:
        return [("assignee_id", None), ("assignee_id", _user(assignee["user_id_or_nobody"], "user_id_or_nobody"))]
    if given.get("reasons") is not None:
        return [("reasons", value) for value in given["reasons"]]
    if given.get("levels") is not None:
        return [("level", int(Level[name])) for name in given["levels"]]
    if given.get("attention_needed"):
        return ANY_LEVEL
    if given.get("kinds") is not None:
        return [("kind", name.lower()) for name in given["kinds"]]
    return None


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


def _kind_among(names: list[str]) -> Condition:
    wanted = frozenset(name.lower() for name in names)
    return lambda facts: facts["kind"] in wanted


def _state_among(names: list[str]) -> Condition:
    wanted = frozenset(names)
    return lambda facts: facts.get("state") in wanted


def _level_among(names: list[str]) -> Condition:
    wanted = frozenset(int(Level[name]) for name in names)
    return lambda facts: facts["level"] in wanted


def _needed(wanted: bool) -> Condition:
    return lambda facts: (facts["level"] is not None) is wanted


def _bot_active(wanted: bool) -> Condition:
    return lambda facts: facts.get("bot_active", False) is wanted


def _unread(wanted: bool) -> Condition:
    return lambda facts: bool(facts.get("unread")) is wanted


_PREFIXES = {"account_ids": ACCOUNTS, "chat_topic_ids": CHAT_TOPICS}


def _facet_values(name: str, given: Sequence[str]) -> Sequence[str]:
    if name not in _PREFIXES:
        return given
    try:
        return ids_of(given, _PREFIXES[name])
    except DomainError as error:
        error.path = (name, *error.path)
        raise


def _facet_among(name: str) -> Callable[[list[str]], Condition]:
    def made(values: list[str]) -> Condition:
        fact, wanted = _FACETS[name], frozenset(_facet_values(name, values))
        return lambda facts: facts.get(fact) in wanted

    return made


def team_of(facts: Facts) -> int:
    """The surrogate of the interaction's team; 0 for none, and in events from before there were teams."""
    found: int = facts.get("team_id") or NO_TEAM
    return found


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
    "kinds": _kind_among,
    "states": _state_among,
    "customer_id": _of_customer,
    "labels": _any_of("labels"),
    "tags": _any_of("tags"),
    "topics": _any_of("topics"),
    "attention_needed": _needed,
    "reasons": _any_of("reasons"),
    "levels": _level_among,
    "bot_active": _bot_active,
    "unread": _unread,
    "team_ids": _team_among,
    **{name: _facet_among(name) for name in _FACETS},
}
