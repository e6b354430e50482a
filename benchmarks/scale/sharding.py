"""Which statements keep within one shard."""

import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from importlib import import_module
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.dml import UpdateBase
from sqlalchemy.sql.elements import BinaryExpression, BindParameter

import app
from app.storage.fixed import Fixed
from app.storage.locking import LockingRead


class Place(Enum):
    """Where the rows of a table would be."""

    INTERACTION = "with their interaction, which is with its customer"
    CUSTOMER = "with their customer"
    EVERYWHERE = "a copy in every shard"
    HOME = "in one place for all"


TABLES: Mapping[str, tuple[Place, str]] = {
    "interaction": (Place.INTERACTION, "id"),
    "session": (Place.INTERACTION, "id"),
    "agent_session": (Place.INTERACTION, "id"),
    "chat_session": (Place.INTERACTION, "id"),
    "conversation": (Place.INTERACTION, "id"),
    "mirrored": (Place.INTERACTION, "id"),
    "mirrored_note": (Place.INTERACTION, "interaction_id"),
    "interaction_tag": (Place.INTERACTION, "interaction_id"),
    "message": (Place.INTERACTION, "interaction_id"),
    "message_error": (Place.INTERACTION, "message_id"),
    "note": (Place.INTERACTION, "interaction_id"),
    "suggested_message": (Place.INTERACTION, "session_id"),
    "deleted_message": (Place.INTERACTION, "interaction_id"),
    "mark": (Place.INTERACTION, "interaction_id"),
    "alert": (Place.INTERACTION, "interaction_id"),
    "outbox": (Place.INTERACTION, "interaction_id"),
    "erasing": (Place.INTERACTION, "number"),
    "event_log": (Place.INTERACTION, "interaction_id"),
    "lane": (Place.INTERACTION, "id"),
    "customer": (Place.CUSTOMER, "id"),
    "customer_word": (Place.CUSTOMER, "owner_id"),
    "erasure": (Place.CUSTOMER, "customer_id"),
    "inbox": (Place.CUSTOMER, "customer_id"),
    "app_user": (Place.EVERYWHERE, ""),
    "app_user_word": (Place.EVERYWHERE, ""),
    "user_identity": (Place.EVERYWHERE, ""),
    "api_key": (Place.EVERYWHERE, ""),
    "bootstrap_key": (Place.EVERYWHERE, ""),
    "key_pepper": (Place.EVERYWHERE, ""),
    "directory_secret": (Place.EVERYWHERE, ""),
    "team": (Place.EVERYWHERE, ""),
    "team_member": (Place.EVERYWHERE, ""),
    "team_border": (Place.EVERYWHERE, ""),
    "profile": (Place.EVERYWHERE, ""),
    "profile_word": (Place.EVERYWHERE, ""),
    "ai_agent": (Place.EVERYWHERE, ""),
    "channel_agent": (Place.EVERYWHERE, ""),
    "chat_topic": (Place.EVERYWHERE, ""),
    "chat_topic_member": (Place.EVERYWHERE, ""),
    "connected_system": (Place.EVERYWHERE, ""),
    "destination": (Place.HOME, ""),
    "delivery": (Place.HOME, ""),
    "policy": (Place.HOME, ""),
    "alerting": (Place.HOME, ""),
    "report_cell": (Place.HOME, ""),
    "report_state": (Place.HOME, ""),
    "report_sum": (Place.HOME, ""),
    "chat_number": (Place.HOME, ""),
    "conversation_counter": (Place.HOME, ""),
    "dirty": (Place.HOME, ""),
    "forgotten": (Place.HOME, ""),
    "idempotency_key": (Place.HOME, ""),
    "stream_ticket": (Place.HOME, ""),
    "open_session": (Place.HOME, ""),
    "watch": (Place.HOME, ""),
    "lease": (Place.HOME, ""),
    "chore": (Place.HOME, ""),
}
"""Each table's place, and the column that says in which shard a row is."""

_SHARDED = (Place.INTERACTION, Place.CUSTOMER)


class Reach(Enum):
    """Which shards a statement has to ask."""

    ONE = "one shard"
    BY_KEY = "one shard, found by a key of a contract"
    ALL = "every shard"
    NONE = "no shard"


class Declared(NamedTuple):
    """A statement, by the name under which its module declares it, with its tables."""

    name: str
    tables: tuple[str, ...]
    reach: Reach


def declared() -> Iterator[Declared]:
    """Every statement that a module or a class of the application declares, by name."""
    for module in sorted(each.name for each in pkgutil.walk_packages(app.__path__, "app.")):
        if ".migrations" in module or module.endswith("__main__"):
            continue
        members = vars(import_module(module))
        owners = [("", members), *((name, vars(each)) for name, each in members.items() if _is_own(each, module))]
        for owner, attributes in owners:
            for name, found in list(attributes.items()):
                core = _core(found)
                if core is not None:
                    path = ".".join(filter(None, (module.removeprefix("app."), owner, name)))
                    tables = tuple(sorted(_tables(core)))
                    yield Declared(path, tables, reach(core))


def reach(core: sa.Select[object] | UpdateBase) -> Reach:
    """Which shards a statement has to ask: one, when it names the key of a row there."""
    sharded = {name for name in _tables(core) if TABLES[name][0] in _SHARDED}
    if not sharded:
        return Reach.NONE
    if isinstance(core, sa.Insert):
        return Reach.ONE  # the row says where it belongs
    bound = {(table, column) for table, column in _bound(core) if table in sharded}
    if any(column in ("id", "customer_id", TABLES[table][1]) for table, column in bound):
        return Reach.ONE  # surrogates are given out by the shard, so each says which
    return Reach.BY_KEY if any(column.endswith("_key") or column == "key_digest" for _, column in bound) else Reach.ALL


def _core(found: object) -> sa.Select[object] | UpdateBase | None:
    if isinstance(found, LockingRead):
        found = found._locking
    return found._core if isinstance(found, Fixed) else None


def _is_own(found: object, module: str) -> bool:
    return isinstance(found, type) and found.__module__ == module


def _tables(core: sa.Select[object] | UpdateBase) -> set[str]:
    named = {each.name for each in visitors.iterate(core) if isinstance(each, sa.Table)}
    return named | ({core.table.name} if isinstance(core, UpdateBase) and isinstance(core.table, sa.Table) else set())


def _bound(core: sa.Select[object] | UpdateBase) -> Iterator[tuple[str, str]]:
    """The columns, with their tables, that a parameter has to equal."""
    for each in visitors.iterate(core):
        if isinstance(each, BinaryExpression) and each.operator in (operators.eq, operators.in_op):
            for side, other in ((each.left, each.right), (each.right, each.left)):
                if isinstance(side, sa.Column) and isinstance(other, BindParameter):
                    yield side.table.name, side.name


ROOTS: Mapping[Reach, Sequence[str]] = {
    Reach.ONE: ("node", "interaction"),
    Reach.BY_KEY: ("customer", "session", "currentSession", "agentSession", "chatSession", "conversation"),
    Reach.ALL: (
        *("nodes", "customers", "interactions", "interactionCounts", "searchInteractions", "searchMessages"),
        *("events", "attentionQueue", "attentionSummary", "chatQueue"),
    ),
    Reach.NONE: (
        *("settings", "viewer", "user", "users", "team", "teams", "profile", "profiles", "report"),
        *("connection", "connections", "destination", "destinations", "deliveries", "policy", "policies"),
        *("aiAgent", "aiAgents", "chatTopic", "chatTopics", "channelAgent", "channelAgents"),
    ),
}
"""The fields of Query by the shards that their first statement asks."""
