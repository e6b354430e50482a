from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.errors import (
    AlreadyExists,
    Conflict,
    DomainError,
    Forbidden,
    InvalidInput,
    KeyReused,
    NotFound,
    TooLong,
    VersionConflict,
)
from app.core.events import EventRecord
from app.kinds.agent_session import service
from app.kinds.agent_session.model import AiAgent
from app.kinds.agent_session.repository import AiAgentRepository
from app.storage.database import Database, Work
from tests.conftest import START, ManualClock
from tests.kinds.agent_session.conftest import AGENT_KEY
from tests.kinds.conftest import BO, CY

pytestmark = pytest.mark.anyio

WRITTEN = '{ "z":1.10, "a":[1E3] }'
SUPPORT = AiAgent(id=1, agent_key=AGENT_KEY, name="Support", created_at=START, updated_at=START)


def told(work: Work, f: Any, *args: Any, **kwargs: Any) -> tuple[Any, list[EventRecord]]:
    result = f(work, *args, **kwargs)
    return result, list(work.events)


def stored(work: Work, number: int = 1) -> AiAgent | None:
    return work.use(AiAgentRepository).get(number)


def logged(work: Work) -> int:
    return int(work.connection.execute(sa.text("SELECT count(*) FROM event_log")).scalar_one())


async def test_an_agent_comes_back_whole(peopled: Database) -> None:
    given = {
        "name": "Billing",
        "description": "Bills",
        "metadata": WRITTEN,
        "tool_configurations": [{"b": 1, "a": 2}],
        "model": {"name": "m"},
        "first_step": {"type": "conversational"},
        "first_step_name": "greet",
        "steps": "{}",
        "skills": '["x" ]',
        "compaction": {"enabled": True},
        "enabled": False,
    }
    agent, events = await peopled.command(told, service.create_agent, BO, given)
    assert agent == AiAgent(
        id=2,
        agent_key="agt_1",
        name="Billing",
        description="Bills",
        metadata=WRITTEN,
        tool_configurations='[{"b":1,"a":2}]',
        model='{"name":"m"}',
        first_step='{"type":"conversational"}',
        first_step_name="greet",
        steps="{}",
        skills='["x" ]',
        compaction='{"enabled":true}',
        enabled=False,
        created_at=START,
        updated_at=START,
    )
    assert await peopled.command(stored, 2) == agent
    assert [(event.topic, event.kind, dict(event.data)) for event in events] == [
        ("ai_agent.created", "agent_session", {"ai_agent_id": 2})
    ]


async def test_an_update_touches_what_it_names_and_null_clears(peopled: Database, clock: ManualClock) -> None:
    clock.advance(5)
    changes = {"description": "D", "metadata": WRITTEN}
    agent, events = await peopled.command(told, service.update_agent, BO, changes, agent_key=AGENT_KEY)
    later = START + timedelta(seconds=5)
    assert agent == replace(SUPPORT, description="D", metadata=WRITTEN, version=2, updated_at=later)
    assert dict(events[0].data) == {"ai_agent_id": 1, "changed": ["description", "metadata"]}
    same, events = await peopled.command(told, service.update_agent, BO, changes, ref="aia_1")
    assert (same, events) == (agent, [])
    cleared = await peopled.command(
        service.update_agent, BO, {"description": None, "metadata": None, "enabled": None}, ref="aia_1", if_version=2
    )
    assert cleared == replace(SUPPORT, version=3, updated_at=later)
    assert await peopled.command(stored) == cleared


async def test_an_agent_without_sessions_can_be_deleted(peopled: Database) -> None:
    gone, events = await peopled.command(told, service.delete_agent, BO, ref="aia_1", if_version=1)
    assert (gone, [event.topic for event in events]) == (SUPPORT, ["ai_agent.deleted"])
    assert await peopled.command(stored) is None


async def test_an_agent_with_sessions_stays(peopled: Database) -> None:
    await peopled.command(service.create, BO, AGENT_KEY, {})
    with pytest.raises(Conflict):
        await peopled.command(service.delete_agent, BO, ref="aia_1")
    assert await peopled.command(stored) == SUPPORT
    await peopled.command(service.delete, BO, "ags_1")
    await peopled.command(service.delete_agent, BO, ref="aia_1")


async def test_a_repeated_creation_is_made_once(peopled: Database) -> None:
    first = await peopled.command(service.create_agent, BO, {"name": "A"}, idempotency_key="k")
    again = await peopled.command(service.create_agent, BO, {"name": "A"}, idempotency_key="k")
    assert first == again
    with pytest.raises(KeyReused):
        await peopled.command(service.create_agent, BO, {"name": "B"}, idempotency_key="k")
    assert await peopled.command(stored, 3) is None


@pytest.mark.parametrize(
    ("actor", "given", "key", "error", "path"),
    [
        (CY, {"name": "A"}, None, Forbidden, ()),
        (BO, {}, None, InvalidInput, ("name",)),
        (BO, {"name": None}, None, InvalidInput, ("name",)),
        (BO, {"name": "x" * 256}, None, TooLong, ("name",)),
        (BO, {"name": "A", "model": "x"}, None, InvalidInput, ("model",)),
        (BO, {"name": "A", "steps": "1"}, None, InvalidInput, ("steps",)),
        (BO, {"name": "A"}, "a b", InvalidInput, ("agent_key",)),
        (BO, {"name": "A"}, AGENT_KEY, AlreadyExists, ("agent_key",)),
    ],
)
async def test_a_refused_creation_makes_nothing(
    peopled: Database, actor: Any, given: Any, key: str | None, error: type[DomainError], path: tuple[str, ...]
) -> None:
    before = await peopled.command(logged)
    with pytest.raises(error) as refused:
        await peopled.command(service.create_agent, actor, given, agent_key=key)
    assert (refused.value.code, refused.value.path) == (error.code, path)
    assert await peopled.command(stored, 2) is None
    assert await peopled.command(logged) == before


@pytest.mark.parametrize(
    ("actor", "which", "error", "path"),
    [
        (CY, {"ref": "aia_1"}, Forbidden, ()),
        (BO, {}, InvalidInput, ("id",)),
        (BO, {"ref": "aia_1", "agent_key": AGENT_KEY}, InvalidInput, ("id",)),
        (BO, {"ref": "aia_9"}, NotFound, ("id",)),
        (BO, {"ref": "ags_1"}, InvalidInput, ("id",)),
        (BO, {"agent_key": "agt_x"}, NotFound, ("agent_key",)),
        (BO, {"ref": "aia_1", "if_version": 2}, VersionConflict, ("if_version",)),
    ],
)
async def test_a_refused_change_changes_nothing(
    peopled: Database, actor: Any, which: Any, error: type[DomainError], path: tuple[str, ...]
) -> None:
    before = await peopled.command(logged)
    for run in (
        lambda work: service.update_agent(work, actor, {"name": "N"}, **which),
        lambda work: service.delete_agent(work, actor, **which),
    ):
        with pytest.raises(error) as refused:
            await peopled.command(run)
        assert (refused.value.code, refused.value.path) == (error.code, path)
    assert await peopled.command(stored) == SUPPORT
    assert await peopled.command(logged) == before
