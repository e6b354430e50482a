"""The matrix of visibility: all by which an interaction could be seen, generated from the schema, and by whom."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import orjson
from graphql import GraphQLField, GraphQLSchema, get_named_type, is_abstract_type, is_leaf_type

from app.core.actor import GENERAL_PERMISSIONS, Actor
from tests.graph.people import KIND_NAMES
from tests.graph.state import Row
from tests.oracle.pools import ROOT_IDS
from tests.oracle.world import KIND_TYPES, PREFIXES, World

T = TypeVar("T")

FORMS = ((), ("read:own",), ("read:own", "claim"), ("read:team",), ("read",))
"""What somebody may of a kind: none, own, own and free, team, all."""

POSITIONS = ((2, 1), (4, 2))
"""Users, and the team of each."""

CELLS = frozenset({"own team, free", "own team, another's", "other team, own", "other team, another's", "no team"})
"""Where an interaction may be, as whoever asks sees it."""

_INTERACTIONS_AT_ONCE = 7  # with all that they lead to: more would be too complex
_OBJECTS_AT_ONCE = 8
_OF_EACH = 10


def actors(known: Sequence[Actor]) -> Sequence[Actor]:
    """Of each position five callers: each may another part of each kind, and among them every part of every one."""
    found = []
    for user_id, team in POSITIONS:
        user = next(each for each in known if each.user_id == user_id)
        for shift in range(len(FORMS)):
            held = {f"{kind}:{part}" for place, kind in enumerate(KIND_NAMES) for part in form(place, shift)}
            name = f"{user.name} of tea_{team}, {shift}"
            permissions = frozenset(held.union(GENERAL_PERMISSIONS))
            found.append(replace(user, name=name, permissions=permissions, teams=frozenset({team}), is_narrowed=True))
    return found


def form(kind: int, shift: int) -> Sequence[str]:
    """What the caller of this number may of the kind in this place."""
    return FORMS[(kind + shift) % len(FORMS)]


def cell(row: Row, actor: Actor) -> str:
    """Where the interaction is for the actor."""
    if row["team_id"] == 0:
        return "no team"
    if row["team_id"] in actor.teams:
        return "own team, free" if row["assignee_id"] is None else "own team, another's"
    return "other team, own" if row["assignee_id"] == actor.user_id else "other team, another's"


class Asked(NamedTuple):
    """A row of the matrix: the field, the text, and the variables of each time that it is asked."""

    name: str
    text: str
    variables: Sequence[Mapping[str, Any]] = ({},)


def rows(schema: GraphQLSchema, world: World) -> Iterator[Asked]:
    """Every root field with every key that is stored, and every field of every object that leads to others or counts.

    Raises KeyError for a root field that ASKED does not know."""
    assert schema.query_type is not None
    for name, field in schema.query_type.fields.items():
        below, given = seen(schema, get_named_type(field.type)), ASKED[name](world)
        names = {each: field.args[each] for one in given for each in one}
        head = ", ".join(f"${each}: {argument.type}" for each, argument in names.items())
        pages = ["first: 100"] if "last" in field.args else []
        arguments = ", ".join([*pages, *(f"{each}: ${each}" for each in names)])
        written = f"{name}{f'({arguments})' if arguments else ''} {below}"
        yield Asked(f"Query.{name}", f"query{f'({head})' if head else ''} {{ {written} }}", given)
    # All types of a document take about as long to compile as one of them.
    others = tuple(name for name in PREFIXES.values() if name not in _KINDS)
    for types, size in ((_KINDS, _INTERACTIONS_AT_ONCE), (others, _OBJECTS_AT_ONCE)):
        fragments = " ".join(f"... on {name} {_of_node(schema, name)}" for name in types)
        for some in _parts([each["id"] for each in _ids(*types)(world)], size):
            yield Asked("Query.nodes", f"{{ nodes(ids: {orjson.dumps(some).decode()}) {{ {fragments} }} }}")


def _parts(of_all: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (of_all[place : place + size] for place in range(0, len(of_all), size))


def seen(schema: GraphQLSchema, type_: Any, path: tuple[str, ...] = ()) -> str:
    """The selection by which it shows what of a type is there: ids and numbers, also below what has no node."""
    if is_abstract_type(type_) or type_.name in PREFIXES.values() or type_.name in path:
        return "{ __typename id }" if "id" in getattr(type_, "fields", ()) else "{ __typename }"
    return _fields(schema, type_, (*path, type_.name))


def _of_node(schema: GraphQLSchema, name: str) -> str:
    """The selection on one type of several, whose fields of one name are of other types."""
    type_: Any = schema.type_map[name]
    found = {each: _field(schema, type_, each, field, (name,)) for each, field in type_.fields.items()}
    return "{ " + " ".join(f"{name}_{each}: {field}" for each, field in found.items() if field is not None) + " }"


def _fields(schema: GraphQLSchema, type_: Any, path: tuple[str, ...]) -> str:
    found = [_field(schema, type_, name, field, path) for name, field in type_.fields.items()]
    return "{ __typename " + " ".join(each for each in found if each is not None) + " }"


def _field(schema: GraphQLSchema, type_: Any, name: str, field: GraphQLField, path: tuple[str, ...]) -> str | None:
    """How the field is asked for, if it shows what is there."""
    inner = get_named_type(field.type)
    if is_leaf_type(inner):
        # The place of an entry in the log is another one in each database.
        shows = inner.name == "Int" or (name == "id" and type_.name not in ("HistoryEntry", "UserHistoryEntry"))
        return name if shows else None
    if inner.name == "PageInfo" or (name == "edges" and "nodes" in type_.fields):
        return None
    return f"{name}{f'(first: {_OF_EACH})' if 'first' in field.args else ''} {seen(schema, inner, path)}"


Given = Sequence[Mapping[str, Any]]
"""The arguments of one root field, once for each time that it is asked."""


def _ids(*names: str) -> Callable[[World], Given]:
    prefixes = {name: prefix for prefix, name in PREFIXES.items()}
    return lambda world: [{"id": f"{prefixes[name]}_{key}"} for name in names for key in sorted(world.objects[name])]


def _stored(table: str, **columns: str) -> Callable[[World], Given]:
    return lambda world: [{name: row[columns[name]] for name in columns} for row in world.rows[table]]


def _with(*given: Mapping[str, Any]) -> Callable[[World], Given]:
    return lambda _world: given


def _agent_sessions(world: World) -> Given:
    keys = {row["id"]: row["agent_key"] for row in world.rows["ai_agent"]}
    return [
        {"agentKey": keys[row["agent_id"]], "agentSessionKey": row["agent_session_key"]}
        for row in world.rows["agent_session"]
    ]


def _found_by(*words: str) -> Callable[[World], Given]:
    return lambda world: [{"text": text} for text in (*words, *(each["id"] for each in _ids(*_KINDS)(world)))]


_KINDS = tuple(KIND_TYPES.values())
_LIST = _with({})
_FILTERS: Given = (
    *({"teamIds": [team]} for team in ("tea_1", "tea_2", None)),
    {"assignee": {"userId": "usr_2"}},
    {"assignee": {"userIdOrNobody": "usr_4"}},
)
_FILTERED: Given = ({}, *({"filter": each} for each in _FILTERS))
_WORDS = ("hello", "o", "zoe")

ASKED: Mapping[str, Callable[[World], Given]] = {
    **{root: _ids(PREFIXES[prefix]) for root, prefix in ROOT_IDS.items()},
    # Of every sort of object more is asked below `nodes`.
    "node": _ids(*_KINDS, "Message", "Note"),
    "nodes": lambda world: [{"ids": [each["id"] for each in _ids(*_KINDS)(world)]}],
    "interaction": _ids(*_KINDS),
    "session": _stored("session", sessionKey="session_key"),
    "currentSession": _stored("customer", customerKey="customer_key"),
    "agentSession": _agent_sessions,
    "chatSession": _stored("chat_session", chatSessionId="chat_session_id"),
    "conversation": _stored("conversation", conversationId="conversation_id"),
    "interactions": _with(*_FILTERED),
    "attentionQueue": _with(*_FILTERED),
    "attentionSummary": _with(*({"groupBy": each} for each in ("KIND", "REASON", "LEVEL", "ASSIGNEE", "TEAM"))),
    "interactionCounts": _with(*({**each, "groupBy": ["KIND", "TEAM", "ASSIGNEE", "STATE"]} for each in _FILTERED)),
    "searchInteractions": _found_by(*_WORDS),
    "searchMessages": _with(*({"text": each} for each in _WORDS)),
    "chatQueue": _with({}, {"topicId": 1}, {"topicId": 42}),
    **dict.fromkeys(("users", "customers", "profiles", "teams", "aiAgents", "channelAgents", "chatTopics"), _LIST),
    **dict.fromkeys(("connections", "destinations", "deliveries", "policies"), _LIST),
    # Of the log, what was seen when it was told: tests/graph/test_sight.py.
    **dict.fromkeys(("events", "viewer", "settings"), _LIST),
}
"""What each root field is asked with."""
