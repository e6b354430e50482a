"""The mapping of shared types to tables."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from app.core.clock import rfc3339
from app.core.events import event_id, topic_name
from app.core.ids import parse_id
from app.interactions.contents import ContentType
from app.interactions.meaning import momentary_topics
from app.interactions.messages import SENDER_ROLES, SenderRole
from app.interactions.reads.assignable import ASSIGNABLE
from app.interactions.reads.filters import (
    FILTERS,
    LEVELS,
    NEWEST,
    ORDERS,
    PARTITION,
    needs_attention,
    team_of,
    visible,
    visible_part,
)
from app.interactions.reads.finding import found_by
from app.interactions.reads.log import EVENT, events
from app.interactions.reads.past import history
from app.interactions.reads.search import Question, question_of, speaks_of
from app.interactions.reads.sight import seen_of_kind, seen_part
from app.interactions.reads.viewing import VIEWERS
from app.interactions.tables import interaction, message, message_error, note
from app.selection.mapping import (
    Column,
    Computed,
    Embedded,
    Env,
    Filter,
    Inline,
    InlineMap,
    InterfaceMap,
    Many,
    Mapped,
    ObjectMap,
    One,
    Order,
    Root,
    RootMany,
    RootOne,
    RootSteps,
    Scope,
    Sql,
    TypeMap,
    UnionMap,
    both_ways,
    keyed,
    one_of,
)

_SENT = both_ways("SENT_AT", lambda scope: (scope.c.sent_at, scope.c.id))
_CREATED = both_ways("CREATED_AT", lambda scope: (scope.c.created_at, scope.c.id))
# An interaction's events are all in one lane, so a position is one event.
_HAPPENED = both_ways("AT", lambda scope: (scope.c.position,))
_REPORTED = {"NEWEST": Order(lambda scope: (scope.c.created_at, scope.c.id), descending=True)}


# The directory's table, of which selections join these two columns alone.
customer_profile = sa.table("customer", sa.column("id", sa.BigInteger), sa.column("profile_id", sa.BigInteger))


def graph_kind(scope: Scope) -> sa.ColumnElement[str]:
    """The name of the row's kind in the graph's enum."""
    return sa.func.upper(scope.c.kind, type_=sa.Text)


def _waiting_seconds(env: Env, since: datetime | None) -> int | None:
    return None if since is None else max(int((env.now - since).total_seconds()), 0)


def _queue_key(_env: Env, level: int | None, since: datetime | None, number: int) -> str | None:
    """The place in QUEUE_ORDER as text of one length, so that two compare as their rows do."""
    return None if level is None or since is None else f"{level} {rfc3339(since)} {number:019d}"


def _sender_role(scope: Scope) -> sa.ColumnElement[str]:
    names = {author.value: role.value for author, role in SENDER_ROLES.items()}
    return sa.case(
        *(
            (scope.c.author == sa.literal_column(f"'{author}'"), sa.literal_column(f"'{role}'", sa.Text))
            for author, role in names.items()
        ),
        else_=sa.literal_column(f"'{SenderRole.BOT.value}'", sa.Text),
    )


MAPPINGS: tuple[Mapped, ...] = (
    InterfaceMap(
        "Interaction",
        interaction,
        discriminator="kind",
        fields={
            "kind": Column(graph_kind),
            "latestMessageAt": Column(lambda scope: scope.c.last_message_at),
            "customer": One("Customer", lambda scope: scope.c.customer_id, distinct=True),
            "assignee": One("User", lambda scope: scope.c.assignee_id),
            "team": One("Team", team_of),
            "attention": Inline("Attention"),
            "messages": Many("Message", keyed("interaction_id"), _SENT, "SENT_AT_ASC", inherits=True),
            "latestMessage": One("Message", lambda scope: scope.c.latest_message_id, inherits=True),
            "latestCustomerMessage": One("Message", lambda scope: scope.c.latest_customer_message_id, inherits=True),
            "notes": Many("Note", keyed("interaction_id"), _CREATED, "CREATED_AT_DESC", inherits=True),
            "latestNote": One("Note", lambda scope: scope.c.latest_note_id, inherits=True),
            "history": Many(
                "HistoryEntry",
                keyed("interaction_id"),
                _HAPPENED,
                "AT_DESC",
                where=lambda scope: scope.c.topic.not_in(
                    [sa.literal_column(f"'{topic}'") for topic in momentary_topics()]
                ),
                inherits=True,
            ),
            "viewers": VIEWERS,
            "assignableUsers": ASSIGNABLE,
        },
        visible=visible,
        narrows=seen_of_kind,
    ),
    InlineMap(
        "Attention",
        fields={
            "needed": Column(needs_attention),
            "reason": Column(lambda scope: scope.c.attention_reason),
            "reasons": Column(lambda scope: scope.c.attention_reasons),
            "level": Column(lambda scope: scope.c.attention_level, names=LEVELS),
            "note": Column(lambda scope: sa.case((needs_attention(scope), scope.c.raised_note))),
            "since": Column(lambda scope: scope.c.attention_since),
            "deadline": Column(lambda scope: scope.c.attention_deadline),
            "acknowledgedBy": One("User", lambda scope: scope.c.acknowledged_by),
            "acknowledgedAt": Column(lambda scope: scope.c.acknowledged_at),
            "claimedBy": One("User", lambda scope: scope.c.assignee_id),
            "claimedUntil": Column(lambda scope: scope.c.claimed_until),
            "waitingSeconds": Computed(("attention_since",), _waiting_seconds),
            "queueKey": Computed(("attention_level", "attention_since", "id"), _queue_key),
        },
    ),
    TypeMap(
        "Message",
        message,
        prefix="msg",
        fields={
            "messageId": Column(lambda scope: scope.c.id),
            "interaction": One("Interaction", lambda scope: scope.c.interaction_id),
            "senderRole": Column(_sender_role),
            "user": One("User", lambda scope: scope.c.user_id),
            "contents": Embedded("MessageContent", lambda scope: scope.c.contents, many=True),
            "reference": One("Message", lambda scope: scope.c.reference_id, inherits=True),
            "campaign": Inline("Campaign", lambda scope: scope.c.campaign_name),
            "latestError": One("MessageError", lambda scope: scope.c.latest_error_id),
            "errors": Many("MessageError", keyed("message_id"), _REPORTED, "NEWEST", inherits=True),
        },
        visible=visible_part,
    ),
    InlineMap(
        "Campaign",
        fields={
            "campaignId": Column(lambda scope: scope.c.campaign_id),
            "name": Column(lambda scope: scope.c.campaign_name),
        },
    ),
    TypeMap("MessageError", message_error, fields={"errorId": Column(lambda scope: scope.c.id)}),
    UnionMap(
        "MessageContent",
        tag="type",
        types={each.value: f"{each.value.capitalize()}MessageContent" for each in ContentType},
    ),
    TypeMap(
        "Note",
        note,
        prefix="not",
        fields={
            "noteId": Column(lambda scope: scope.c.id),
            "interaction": One("Interaction", lambda scope: scope.c.interaction_id),
            "author": One("User", lambda scope: scope.c.author_id),
        },
        visible=visible_part,
    ),
    TypeMap(
        "HistoryEntry",
        history,
        fields={
            "id": Computed(("interaction_id", "position"), lambda _, number, position: event_id(number, position)),
            "topic": Computed(("topic", "kind"), lambda _, topic, kind: topic_name(topic, kind)),
            "actor": One("User", lambda scope: scope.c.actor_id),
            "levelBefore": Column(lambda scope: scope.c.level_before, names=LEVELS),
            "levelAfter": Column(lambda scope: scope.c.level_after, names=LEVELS),
            "changes": Embedded("FieldChange", lambda scope: scope.c.changes, many=True),
            "message": One("Message", lambda scope: scope.c.message_id, inherits=True),
            "note": One("Note", lambda scope: scope.c.note_id, inherits=True),
        },
        visible=seen_part,
    ),
    ObjectMap("InteractionViewer"),
    ObjectMap("EventPage"),
    ObjectMap("Event", EVENT),
)


OF_CUSTOMER = Many("Interaction", keyed("customer_id"), ORDERS, NEWEST, filters=FILTERS)
"""The edge `Customer.interactions`."""


def _of_profile(scope: Scope, key: Any) -> Sql:
    customers = sa.select(customer_profile.c.id).where(customer_profile.c.profile_id == key)
    of_customer: sa.Column[int] = scope.c.customer_id
    return of_customer.in_(customers.correlate(key.table))


OF_PROFILE = Many("Interaction", _of_profile, ORDERS, NEWEST, filters=FILTERS)
"""The edge `Profile.interactions`: by way of the profile's customers, of whom a person has a few."""


def _question() -> Filter:
    return Filter(lambda scope, bind, _: speaks_of(scope.c.id, scope.c.words, bind(Question())), question_of)


def _message_kinds() -> Filter:
    by_name = one_of(lambda scope: scope.c.kind)
    return Filter(by_name.clause, lambda names: by_name.value([name.lower() for name in names]), by_name.shape)


def interactions_found(kinds: Mapping[str, str]) -> RootMany:
    """The root field `searchInteractions`; `kinds` gives each id prefix its kind's name."""
    narrowed = {name: replace(condition, stream=None) for name, condition in FILTERS.items()}
    order = {NEWEST: ORDERS[NEWEST]}
    filters = {**narrowed, "text": found_by(kinds)}
    return RootMany("Interaction", order, NEWEST, filters=filters, found_by="text")


def interaction_by_id(kinds: Mapping[str, str]) -> RootOne:
    """The root field `interaction(id)`; `kinds` gives each id prefix its kind's name."""

    def values(_env: Env, arguments: Mapping[str, Any]) -> Mapping[str, object] | None:
        found = parse_id(str(arguments["id"]))
        if found is None or found.prefix not in kinds:
            return None
        return {"id": found.number, "kind": kinds[found.prefix]}

    return RootOne(
        "Interaction",
        lambda scope, bind: sa.and_(scope.c.id == bind("id", sa.BigInteger), scope.c.kind == bind("kind", sa.Text)),
        values,
    )


ROOTS: Mapping[str, Root] = MappingProxyType(
    {
        "interactions": RootMany("Interaction", ORDERS, NEWEST, filters=FILTERS, partition=PARTITION),
        "searchMessages": RootMany(
            "Message",
            {"NEWEST": Order(lambda scope: (scope.c.id,), descending=True)},
            "NEWEST",
            filters={"text": _question(), "kinds": _message_kinds()},
        ),
        "events": RootSteps("EventPage", events),
    }
)
