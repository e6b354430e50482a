"""Changes that an event records: field names, and values without text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from enum import Enum
from operator import attrgetter
from typing import Any, NamedTuple, TypedDict

from app.core.clock import rfc3339
from app.core.events import event_type
from app.directory.model import NO_TEAM
from app.interactions.model import Interaction

REFERENCE = "reference"
"""Metadata key of a model's field that holds a surrogate: the prefix of the global ids it belongs to."""

_DERIVED = frozenset(
    {
        "id",
        "attention",
        "waiting",
        "version",
        "updated_at",
        "due_at",
        "answered_lease",
        "lease_answer_id",
        "lost_holder_id",
        "team_fixed",
        "sync_trouble",
        "sync_user_id",
        "opened_at",
        "first_waited_since",
    }
)
_REFERENCES = {"assignee_id": "usr", "customer_id": "cus", "team_id": "tea"}
_ARRIVALS = frozenset(
    {
        "last_message_at",
        "latest_message_id",
        "latest_customer_message_id",
        "latest_note_id",
        "unread_customer_messages_count",
    }
)


_NO_EDITS = frozenset(
    {
        *("state", "attention", "waiting", "answered_lease", "lease_answer_id", "due_at", "sync_trouble"),
        *("sync_user_id", "opened_at", "first_waited_since"),
    }
)


class Change(TypedDict):
    """One field that changed, by its name in the graph; both values null when they must not be kept."""

    field: str
    before: str | None
    after: str | None


def changes(before: Interaction, after: Interaction) -> Iterator[Change]:
    """The fields that differ, without derived fields and the counters of messages and notes."""
    told = _TOLD.get(type(after)) or _tell(type(after))
    for (name, prefix), old, new in zip(told.fields, told.values(before), told.values(after), strict=True):
        if old != new:
            yield Change(field=name, before=_scalar(old, prefix), after=_scalar(new, prefix))


def edits(interaction: Interaction) -> tuple[object, ...]:
    """The values that an edit can change, without derived fields and the counters of messages and notes."""
    told = _TOLD.get(type(interaction)) or _tell(type(interaction))
    return told.edits(interaction)


class _Told(NamedTuple):
    """What is told of a model: each field's name in the graph with the prefix of its ids; their values; those that
    an edit could have changed."""

    fields: Sequence[tuple[str, str | None]]
    values: Callable[[Interaction], tuple[object, ...]]
    edits: Callable[[Interaction], tuple[object, ...]]


_TOLD: dict[type[Any], _Told] = {}


def _tell(model: type[Any]) -> _Told:
    own = [field for field in fields(model) if field.name not in _ARRIVALS]
    found = [field for field in own if field.name not in _DERIVED]
    prefixes = [field.metadata.get(REFERENCE) or _REFERENCES.get(field.name) for field in found]
    names = [_graph_name(each.name, refers=prefix is not None) for each, prefix in zip(found, prefixes, strict=True)]
    told = _TOLD[model] = _Told(
        list(zip(names, prefixes, strict=True)),
        attrgetter(*[field.name for field in found]),
        attrgetter(*[field.name for field in own if field.compare and field.name not in _NO_EDITS]),
    )
    return told


def filterable(of: Interaction) -> dict[str, object]:
    """The values of an interaction that filters use, as JSON. Events keep them, so that filters also match the past
    state."""
    found: dict[str, object] = {
        "state": of.state.value,
        "assignee_id": of.assignee_id,
        "customer_id": of.customer_id,
        "bot_active": of.bot_active,
        "labels": list(of.labels),
        "reasons": list(of.attention.reasons),
        "level": None if of.attention.level is None else int(of.attention.level),
    }
    if of.attention.user_id is not None:
        found["asked_id"] = of.attention.user_id
    if of.team_id != NO_TEAM:
        found["team_id"] = of.team_id
    if of.unread_customer_messages_count:
        found["unread"] = True
    status, channel, account, _ = of.facets
    facets = {"status": status, "channel": channel, "account": account}
    found.update({name: value for name, value in facets.items() if value is not None})
    for name in ("tags", "topics"):
        values = getattr(of, name, None)
        if values is not None:
            found[name] = list(values)
    return found


_CODES = frozenset(
    {
        *("state", "assignee_id", "asked_id", "team_id", "customer_id", "bot_active", "reasons", "level"),
        *("unread", "status", "channel", "account"),
    }
)
_TOLD_OF_ALL = frozenset({"changes", "attention"})


def without_words(topic: str, data: Mapping[str, object]) -> dict[str, object]:
    """The data of an event without free text: its own fields, the changes, and the listed fields of the interaction
    before and after."""
    of = event_type(topic)
    known = _TOLD_OF_ALL if of is None else _TOLD_OF_ALL.union(of.names)
    kept = {name: value for name, value in data.items() if name in known}
    for side in ("before", "after"):
        if side in data:
            facts = data[side]
            kept[side] = {k: v for k, v in facts.items() if k in _CODES} if isinstance(facts, dict) else None
    return kept


def _scalar(value: object, prefix: str | None) -> str | None:
    match value:
        case Enum():
            return value.name
        case bool():
            return "true" if value else "false"
        case 0 if prefix is not None:
            return None
        case int():
            return str(value) if prefix is None else f"{prefix}_{value}"
        case datetime():
            return rfc3339(value)
        case _:
            return None


def _graph_name(name: str, *, refers: bool) -> str:
    if refers:
        name = name.removesuffix("_id")
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)
