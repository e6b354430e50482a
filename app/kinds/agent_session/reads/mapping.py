"""Maps AI agents and their sessions to the tables."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from app.connections.reads import CANNOT, IS_DOWN
from app.connections.tables import is_mirrored
from app.core.errors import InvalidInput
from app.core.ids import require_id
from app.interactions.reads.filters import NEWEST, ORDERS
from app.interactions.reads.viewing import DOWN, Subject, viewer_can
from app.kinds.agent_session.model import IDLE_COLUMNS, NAME, PREFIX, VIEWER_COLUMNS, deleted_at, refusal, reply_block
from app.kinds.agent_session.tables import agent_session, ai_agent
from app.selection.mapping import (
    SOME,
    Bind,
    Column,
    Computed,
    Embedded,
    Env,
    Many,
    Mapped,
    One,
    Order,
    Root,
    RootMany,
    RootOne,
    Scope,
    Sql,
    TypeMap,
    by_value,
    keyed,
)

READ = f"{NAME}:read"
SEES = f"{READ}{SOME}"
AGENT_PREFIX = "aia"


def _agent_key(scope: Scope) -> Sql:
    found = sa.select(ai_agent.c.agent_key).where(ai_agent.c.id == scope.c.agent_id)
    return found.correlate(scope.c.agent_id.table).scalar_subquery()


def _expires_at(_env: Env, *values: Any) -> datetime | None:
    return deleted_at(Subject(dict(zip(IDLE_COLUMNS, values, strict=True))))  # type: ignore[arg-type]


MAPPINGS: tuple[Mapped, ...] = (
    TypeMap(
        "AgentSession",
        agent_session,
        prefix=PREFIX,
        base="Interaction",
        value=NAME,
        fields={
            "agent": One("AiAgent", lambda scope: scope.c.agent_id),
            "agentKey": Column(_agent_key),
            "sessionContextUsage": Embedded("SessionContextUsage", lambda scope: scope.c.session_context_usage),
            "effectiveCompaction": Embedded("CompactionConfig", lambda scope: scope.c.effective_compaction),
            "expiresAt": Computed(
                tuple(is_mirrored if name == "mirrored" else name for name in IDLE_COLUMNS), _expires_at
            ),
            "viewerCan": viewer_can(
                refusal, reply_block, {**{name: name for name in VIEWER_COLUMNS}, "cannot": CANNOT, DOWN: IS_DOWN}
            ),
        },
        requires=SEES,
    ),
    TypeMap(
        "AiAgent",
        ai_agent,
        prefix=AGENT_PREFIX,
        fields={"sessions": Many("AgentSession", keyed("agent_id"), ORDERS, NEWEST)},
        requires=SEES,
    ),
)


def _by_keys(scope: Scope, bind: Bind) -> Sql:
    agent = sa.select(ai_agent.c.id).where(ai_agent.c.agent_key == bind("agent_key", sa.Text))
    return sa.and_(
        scope.c.agent_id == agent.scalar_subquery(),
        scope.c.agent_session_key == bind("agent_session_key", sa.Text),
    )


def _keys(_env: Env, arguments: Mapping[str, Any]) -> Mapping[str, object]:
    return {name: arguments[name] for name in ("agent_key", "agent_session_key")}


def _agent(scope: Scope, bind: Bind) -> Sql:
    return sa.or_(scope.c.id == bind("id", sa.BigInteger), scope.c.agent_key == bind("agent_key", sa.Text))


def _agent_values(_env: Env, arguments: Mapping[str, Any]) -> Mapping[str, object]:
    given, key = arguments.get("id"), arguments.get("agent_key")
    if (given is None) == (key is None):
        raise InvalidInput("Give either id or agentKey.", path=("id",))
    return {"id": None if given is None else require_id(given, AGENT_PREFIX).number, "agent_key": key}


ROOTS: Mapping[str, Root] = MappingProxyType(
    {
        "agentSession": RootOne("AgentSession", _by_keys, _keys, requires=SEES),
        "aiAgent": RootOne("AiAgent", _agent, _agent_values, requires=SEES),
        "aiAgents": RootMany(
            "AiAgent",
            {"OLDEST": Order(lambda scope: (scope.c.id,))},
            "OLDEST",
            filters={"enabled": by_value(lambda scope, value: scope.c.enabled if value else sa.not_(scope.c.enabled))},
            requires=SEES,
        ),
    }
)
