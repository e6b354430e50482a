"""What generated operations have for arguments: keys, cursors, words and moments, stored ones and others."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.core.clock import rfc3339
from tests.graph.orders import Order, orders_of, written
from tests.graph.running import SCHEMA, Graph
from tests.oracle.operations import Pools
from tests.oracle.world import KIND_TYPES, PREFIXES, World

ROOT_IDS = {
    "user": "usr",
    "customer": "cus",
    "profile": "prf",
    "aiAgent": "aia",
    "channelAgent": "cha",
    "chatTopic": "top",
    "connection": "con",
    "destination": "dst",
    "team": "tea",
    "policy": "pol",
}
_STRANGE = ("", "nonsense", "ses_", "ses_01", "xyz_1", "ses_99999999999999999999", "ses_9223372036854775807")
_WORDS = (
    *(
        "kol",
        "KÖLN",
        "köln again",
        "hello",
        "hel",
        "order here",
        "Grüße",
        "e",
        "zoe",
        "ZOË strasse",
        "ang",
        "+4790000001",
    ),
    *("479000000", "vip", "example.com", "straße as", "nobody", "x" * 70, "a-caption with, Ünï", "4790000001 zoe"),
)


async def pools(graph: Graph, world: World) -> Pools:
    """The values by where they may stand; see operations.Pools."""
    prefixes = {name: prefix for prefix, name in PREFIXES.items()}
    ids = {name: [f"{prefixes[name]}_{key}" for key in sorted(world.objects[name])] for name in prefixes}
    every = [each for some in ids.values() for each in some]
    kinds = [each for name in KIND_TYPES.values() for each in ids[name]]
    found: dict[str, Sequence[Any]] = {
        "Query.node.id": [*every, *_STRANGE],
        "Query.nodes.ids": [*every, *_STRANGE],
        "Query.interaction.id": [*kinds, *kinds, *ids["User"], *_STRANGE],
        "AssigneeFilter.userId": [*ids["User"], "usr_999"],
        "AssigneeFilter.userIdOrNobody": [*ids["User"], "usr_999"],
        "InteractionFilter.customerId": [*ids["Customer"], "cus_999"],
        "destinationId": [*ids["Destination"], "dst_999", "cus_1"],
        "profileId": [*ids["Profile"], "prf_999", "cus_1"],
        "InteractionFilter.accountIds": [*ids["ChannelAgent"], *ids["AiAgent"], "cha_999", "aia_999", "top_1"],
        "InteractionFilter.chatTopicIds": [*ids["ChatTopic"], "top_999"],
        "InteractionFilter.teamIds": [*ids["Team"], None, None, "tea_999"],
        "InteractionFilter.labels": _listed(world, "interaction", "labels"),
        "InteractionFilter.tags": _listed(world, "session", "tags"),
        "InteractionFilter.topics": _listed(world, "session", "topics"),
        "DateTime": _moments(world),
        "text": [*_WORDS, "?!", ""],
        "Query.searchInteractions.text": [
            *_WORDS,
            *("?!", "he", "#1", "1", "2"),
            *kinds[::3],
            *(
                row[name]
                for name in ("session_key", "agent_session_key")
                for row in world.rows.get(name.removesuffix("_key"), ())
            ),
        ],
        "search": [*_WORDS, "?!", ""],
        "customerKey": [*(row["customer_key"] for row in world.rows["customer"]), "nobody's"],
        "sessionKey": [*(row["session_key"] for row in world.rows["session"]), "00000000-0000-7000-8000-ffffffffffff"],
        "agentKey": [*(row["agent_key"] for row in world.rows["ai_agent"]), "agt_nobody"],
        "agentSessionKey": [*(row["agent_session_key"] for row in world.rows["agent_session"]), "none"],
        "chatSessionId": [*(row["chat_session_id"] for row in world.rows["chat_session"]), 0, -1, 2**31 - 1],
        "conversationId": [*(row["conversation_id"] for row in world.rows["conversation"]), 0, 2**31 - 1],
        "topicId": [*(row["topic_id"] for row in world.rows["chat_topic"]), 7],
        "Query.events.after": [None],
        "Query.events.first": [1, 100, 0, 101],
    }
    for root, prefix in ROOT_IDS.items():
        own = ids[PREFIXES[prefix]]
        found[f"Query.{root}.id"] = [*own, *own, f"{prefix}_999", "ses_1", "nonsense"]
    return {**found, **await _cursors(graph)}


def _listed(world: World, table: str, column: str) -> list[str]:
    values = {value for row in world.rows[table] for value in row[column]}
    return [*sorted(values), "nobody has this", 'qu"ote%_\\']


def _moments(world: World) -> list[str]:
    found: set[datetime] = set()
    for row in world.rows["interaction"]:
        found |= {row[each] for each in ("created_at", "updated_at", "last_message_at") if row[each] is not None}
    return [rfc3339(each + timedelta(microseconds=shift)) for each in sorted(found) for shift in (0, 1)]


async def _cursors(graph: Graph) -> Mapping[str, Sequence[Any]]:
    """Places in every connection, each with the order that it belongs to."""
    found: dict[str, list[Any]] = {}
    page = "{ edges { cursor } }"
    for where, head, tail in _connections():
        type_name, field_name = where.split(".")
        arguments = SCHEMA.type_map[type_name].fields[field_name].args  # type: ignore[attr-defined]
        orders: Sequence[Order | None] = orders_of(arguments) or (None,)
        for order in orders:
            given = f"first: 5{'' if order is None else f', orderBy: {written(order)}'}"
            if "text" in arguments:
                given += ', text: "hel"'
            answer = await graph.read(f"{{ {head} {field_name}({given}) {page} {tail} }}")
            found.setdefault(f"{where}.cursor", []).extend((cursor, order) for cursor in _texts(answer))
    return found


def _connections() -> list[tuple[str, str, str]]:
    """Each connection as `Type.field`, and what of a query stands before and behind it."""
    found = [
        (f"Query.{name}", "", "")
        for name, field in SCHEMA.query_type.fields.items()  # type: ignore[union-attr]
        if "first" in field.args and "last" in field.args
    ]
    for name, type_ in SCHEMA.type_map.items():
        if name not in PREFIXES.values():
            continue
        for field_name, field in type_.fields.items():  # type: ignore[attr-defined]
            if "first" in field.args:
                prefix = next(prefix for prefix, each in PREFIXES.items() if each == name)
                ids = ", ".join(f'"{prefix}_{number}"' for number in range(1, 30))
                found.append((f"{name}.{field_name}", f"nodes(ids: [{ids}]) {{ ... on {name} {{", "} }"))
    return found


def _texts(answer: Any) -> list[str]:
    if isinstance(answer, dict):
        return [answer["cursor"]] if "cursor" in answer else [each for item in answer.values() for each in _texts(item)]
    return [each for item in answer or () for each in _texts(item)] if isinstance(answer, list) else []
