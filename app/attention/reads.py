"""The selections and subscriptions of the attention queue and its summary."""

from collections.abc import Callable, Generator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from app.core.sight import Viewer
from app.feed import Entry, SnapshotStream, Stream
from app.interactions.events import AttentionEvent, ListenersChanged
from app.interactions.reads.facts import seen_sides, sides_of
from app.interactions.reads.filters import (
    LEVELS,
    QUEUE_FILTERS,
    QUEUE_ORDER,
    QUEUE_PARTITION,
    asked_id,
    needs_attention,
    team_of,
    visible,
)
from app.interactions.reads.streams import InteractionStreams
from app.interactions.tables import interaction, watch
from app.interactions.watched import ATTENTION
from app.selection.mapping import Env, Mapped, ObjectMap, One, Read, Root, RootMany, RootSteps
from app.storage.query import Query

_GROUPS: Mapping[str, tuple[sa.ColumnElement[Any], str, Callable[[Any], object]]] = MappingProxyType(
    {
        "KIND": (interaction.c.kind, "kind", str.upper),
        "REASON": (interaction.c.attention_reason, "reason", str),
        "LEVEL": (interaction.c.attention_level, "level", LEVELS.__getitem__),
        "TEAM": (sa.func.nullif(team_of(interaction), 0), "team_id", int),
        "ASSIGNEE": (asked_id(interaction), "assignee_id", int),
    }
)


_LISTENERS = sa.select(watch.c.listeners, watch.c.until).where(watch.c.subject == ATTENTION)
"""Of every process and user: the listeners to the attention queue, and the lease's end."""

_ASKED = frozenset({"assignee_id", "asked_id", "team_id"})


def _counted(by: str, read: Read) -> sa.Select[Any]:
    column = _GROUPS[by][0]
    seen = visible(read.permissions, interaction)
    needed = interaction.c.attention_level.is_not(None)
    return (
        sa.select(column, sa.func.count(), sa.func.min(interaction.c.attention_since))
        .where(needed, sa.false() if seen is False else sa.true() if seen is True else seen)
        .group_by(column)
        .order_by(column.nulls_last())
    )


def _summary(
    read: Read, env: Env, arguments: Mapping[str, Any]
) -> Generator[Query, Sequence[Any], Mapping[str, object]]:
    by = str(arguments["group_by"])
    _, name, convert = _GROUPS[by]
    rows = yield read.query(by, lambda: _counted(by, read))
    groups = [
        {name: None if key is None else convert(key), "count": count, "oldest_since": read.time(oldest)}
        for key, count, oldest in rows
    ]
    leases = yield read.query("listeners", lambda: _LISTENERS)
    moments = [moment for group in groups if (moment := group["oldest_since"]) is not None]
    return {
        "count": sum(count for _, count, _ in rows),
        "oldest_since": min(moments, default=None),
        "groups": groups,
        "listeners": sum(count for count, until in leases if (read.time(until) or env.now) > env.now),
    }


def _moves_the_summary(viewer: Viewer, entry: Entry) -> bool:
    if entry.type is ListenersChanged:
        return True
    if entry.event.interaction_id is None or seen_sides(entry.event, viewer, sides_of(entry)) == (None, None):
        return False
    # A change of the holder counts when the summary is by assignee, and a change of the team when it is by team.
    before = entry.event.data.get("before")
    asked = isinstance(before, dict) and not _ASKED.isdisjoint(before)
    return issubclass(entry.type, AttentionEvent) or asked


def streams(kinds: Mapping[str, str]) -> Mapping[str, Stream]:
    """The streams of attention. `kinds` maps the prefixes of interactions' ids to names of kinds."""
    return {
        "attentionChanged": InteractionStreams(kinds).attention(),
        "attentionSummaryChanged": SnapshotStream("attentionSummary", _moves_the_summary),
    }


MAPPINGS: tuple[Mapped, ...] = (
    ObjectMap("AttentionSummary"),
    ObjectMap("AttentionGroup", {"assignee": One("User", key="assignee_id"), "team": One("Team", key="team_id")}),
)

ROOTS: Mapping[str, Root] = MappingProxyType(
    {
        "attentionQueue": RootMany(
            "Interaction",
            {"QUEUE": QUEUE_ORDER},
            "QUEUE",
            filters=QUEUE_FILTERS,
            where=needs_attention,
            partition=QUEUE_PARTITION,
        ),
        "attentionSummary": RootSteps("AttentionSummary", _summary),
    }
)
