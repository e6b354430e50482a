import asyncio
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.errors import (
    AlreadyExists,
    Disabled,
    DomainError,
    Forbidden,
    InvalidInput,
    KeyReused,
    NotClearable,
    NotFound,
    NotSupported,
    TooLong,
    VersionConflict,
)
from app.core.events import EventRecord
from app.core.ids import GlobalId
from app.directory.repository import CustomerRepository
from app.interactions.messages import MessageAuthor
from app.interactions.model import Command, Level, State
from app.interactions.service.change import begin
from app.interactions.service.messages import receive_message, send_message
from app.interactions.service.state import clear_attention, close, reopen
from app.kinds.agent_session import service
from app.kinds.agent_session.model import COMMANDS, AgentSession, AgentSessionChanges, Status, deleted_at
from app.kinds.agent_session.repository import AgentSessionRepository
from app.kinds.agent_session.service import Keys
from app.storage.database import Database, Work
from tests.conftest import START, ManualClock
from tests.kinds.agent_session.conftest import AGENT_KEY, CUSTOMER_KEY, SESSION_KEY
from tests.kinds.conftest import ADA, BO, CY, DEE

pytestmark = pytest.mark.anyio

FIRST = GlobalId("ags", 1)
WRITTEN = '{ "z":1.10, "a":[1E3], "customer_id":"customer_12345" }'
TEXT = {"type": "text", "content": "Hello"}


def told(work: Work, f: Any, *args: Any, **kwargs: Any) -> tuple[Any, list[EventRecord]]:
    result = f(work, *args, **kwargs)
    return result, list(work.events)


def stored(work: Work, number: int = 1) -> AgentSession | None:
    return work.use(AgentSessionRepository).load(number)


def everything(work: Work) -> str:
    """Every row of the tables that a secret could have got into."""
    tables = ("agent_session", "event_log", "idempotency_key", "interaction")
    return repr([work.connection.execute(sa.text(f"SELECT * FROM {name}")).all() for name in tables])


def logged(work: Work) -> int:
    return int(work.connection.execute(sa.text("SELECT count(*) FROM event_log")).scalar_one())


async def made(peopled: Database, **given: Any) -> AgentSession:
    changes: Any = given
    return await peopled.command(service.create, BO, AGENT_KEY, changes, agent_session_key=SESSION_KEY)


async def test_a_session_comes_back_whole(peopled: Database) -> None:
    given: AgentSessionChanges = {
        "name": "Bill",
        "description": "A bill",
        "metadata": WRITTEN,
        "enabled": True,
        "tti_minutes": 30,
        "secrets": {"TOKEN": "hush"},
    }
    session, events = await peopled.command(
        told, service.create, BO, AGENT_KEY, given, agent_session_key=SESSION_KEY, idempotency_key="k"
    )
    assert session == AgentSession(
        id=1,
        customer_id=1,
        agent_id=1,
        agent_key=AGENT_KEY,
        agent_session_key=SESSION_KEY,
        name="Bill",
        description="A bill",
        metadata=WRITTEN,
        enabled=True,
        bot_active=True,
        tti_minutes=30,
        status=Status.UNSTARTED,
        secrets={"TOKEN": "****"},
        created_at=START,
        updated_at=START,
        due_at=START + timedelta(minutes=30),
        opened_at=START,
    )
    assert [event.topic for event in events] == ["agent_session.created"]
    assert "hush" not in await peopled.command(everything)


async def test_a_session_with_nothing_said_has_defaults(peopled: Database) -> None:
    session = await peopled.command(service.create, BO, AGENT_KEY, {})
    assert (session.agent_session_key, session.name, session.metadata) == ("ase_1", "ase_1", "{}")
    assert (session.customer_id, session.enabled, session.tti_minutes, session.state) == (None, True, 0, State.OPEN)


async def test_a_customer_nobody_knows_is_made_known(peopled: Database) -> None:
    session, events = await peopled.command(
        told, service.create, BO, AGENT_KEY, {"metadata": {"customer_id": "new_one"}}
    )
    assert session.customer_id == 2
    assert [event.topic for event in events] == ["customer.created", "agent_session.created"]
    found = await peopled.command(lambda work: work.use(CustomerRepository).get(2))
    assert found is not None
    assert (found.customer_key, found.system) == ("new_one", "AGENT_SESSION")


async def test_two_sessions_of_one_new_customer_at_the_same_moment(peopled: Database) -> None:
    given: AgentSessionChanges = {"metadata": {"customer_id": "new_one"}}
    both = await asyncio.gather(*(peopled.command(service.create, BO, AGENT_KEY, given) for _ in range(2)))
    assert [session.customer_id for session in both] in ([2, 2], [3, 3])


async def test_metadata_that_names_another_customer_moves_the_session(peopled: Database) -> None:
    await made(peopled, metadata=WRITTEN)
    other = await peopled.command(service.update, BO, FIRST, {"metadata": '{"customer_id":"other"}'})
    assert other.customer_id == 2
    none = await peopled.command(service.update, BO, FIRST, {"metadata": None})
    assert (none.customer_id, none.metadata) == (None, "{}")


async def test_a_session_that_was_opened_for_a_customer_keeps_it(peopled: Database) -> None:
    session = await peopled.command(service.open_for_customer, BO, 1, AGENT_KEY)
    assert session.metadata == f'{{"customer_id":"{CUSTOMER_KEY}"}}'
    changed = await peopled.command(service.update, BO, FIRST, {"description": "D"})
    assert changed.customer_id == 1
    assert (await peopled.command(service.open_for_customer, BO, 1, AGENT_KEY)).id == 1
    await peopled.command(close, BO, FIRST)
    assert (await peopled.command(service.open_for_customer, BO, 1, AGENT_KEY)).id == 2


@pytest.mark.parametrize(
    ("metadata", "level"),
    [
        ('{"resolution_status":"escalated"}', Level.HIGH),
        ('{"priority":"urgent"}', Level.URGENT),
        ('{"escalation_level":"tier_2"}', Level.HIGH),
    ],
)
async def test_escalation_raises_attention_and_its_end_clears_it(
    peopled: Database, metadata: str, level: Level
) -> None:
    await made(peopled)
    session, events = await peopled.command(told, service.update, BO, FIRST, {"metadata": metadata})
    assert (session.attention.level, session.attention.reasons) == (level, ("ESCALATED",))
    assert [event.topic for event in events] == ["agent_session.updated", "attention.raised"]
    with pytest.raises(NotClearable):
        await peopled.command(clear_attention, BO, FIRST)
    session, events = await peopled.command(told, service.update, BO, FIRST, {"metadata": {"priority": "low"}})
    assert not session.attention.needed
    assert [event.topic for event in events] == ["agent_session.updated", "attention.cleared"]


async def test_closing_disables_and_reopening_enables(peopled: Database) -> None:
    await made(peopled, metadata={"priority": "urgent"})
    closed = await peopled.command(close, BO, FIRST)
    assert (closed.enabled, closed.state, closed.bot_active, closed.attention.needed) == (
        False,
        State.CLOSED,
        False,
        False,
    )
    opened = await peopled.command(reopen, BO, FIRST)
    assert (opened.enabled, opened.state, opened.bot_active, opened.attention.level) == (
        True,
        State.OPEN,
        True,
        Level.URGENT,
    )


async def test_a_disabled_session_accepts_no_message(peopled: Database) -> None:
    await made(peopled, metadata=WRITTEN)
    await peopled.command(service.update, BO, FIRST, {"enabled": False})
    before, count = await peopled.command(stored), await peopled.command(logged)
    with pytest.raises(Disabled):
        await peopled.command(send_message, BO, FIRST, TEXT)
    with pytest.raises(Disabled):
        await peopled.command(receive_message, BO, {"interaction": FIRST}, [TEXT])
    assert (await peopled.command(stored), await peopled.command(logged)) == (before, count)


async def test_messages_are_the_contract_s_events(peopled: Database) -> None:
    target = {"kind": "agent_session", "customer_id": 1, "agent_key": AGENT_KEY}
    posted = await peopled.command(receive_message, BO, target, [TEXT], fields={"message_key": "aev_1"})
    assert posted == (1, 1)
    session = await peopled.command(stored)
    assert session is not None
    assert (session.status, session.unread_customer_messages_count, session.version) == (Status.RUNNING, 1, 1)
    await peopled.command(send_message, BO, FIRST, TEXT, author=MessageAuthor.AI_AGENT)
    session = await peopled.command(stored)
    assert session is not None
    assert (session.status, session.latest_message_id) == (Status.STOPPED, 2)
    await peopled.command(send_message, BO, FIRST, TEXT)
    rows = await peopled.command(
        lambda work: work.connection.execute(sa.text("SELECT author, event_type FROM message ORDER BY id")).all()
    )
    assert [tuple(row) for row in rows] == [
        ("CUSTOMER", "input_message"),
        ("AI_AGENT", "agent_output"),
        ("USER", None),
    ]


async def test_a_message_needs_an_agent_and_may_do_without_a_customer(peopled: Database) -> None:
    with pytest.raises(InvalidInput):
        await peopled.command(receive_message, BO, {"kind": "agent_session", "customer_id": 1}, [TEXT])
    target = {"kind": "agent_session", "customer_id": None, "agent_key": AGENT_KEY}
    assert [await peopled.command(receive_message, BO, target, [TEXT]) for _ in range(2)] == [(1, 1), (2, 2)]
    session = await peopled.command(stored)
    assert session is not None
    assert (session.customer_id, session.metadata) == (None, "{}")


async def test_whatever_happens_starts_its_idle_time_anew(peopled: Database, clock: ManualClock) -> None:
    await made(peopled, tti_minutes=60)
    clock.advance(3599)
    await peopled.command(send_message, BO, FIRST, TEXT, author=MessageAuthor.AI_AGENT)
    session = await peopled.command(stored)
    assert session is not None
    assert deleted_at(session) == START + timedelta(seconds=3599 + 3600)


async def test_an_update_touches_only_what_it_names(peopled: Database, clock: ManualClock) -> None:
    await made(peopled, metadata=WRITTEN, description="D", secrets={"A": "x", "B": "y"})
    clock.advance(1)
    same, events = await peopled.command(told, service.update, BO, FIRST, {})
    assert (same.version, events) == (1, [])
    keys = Keys(AGENT_KEY, SESSION_KEY)
    session, events = await peopled.command(
        told, service.update, BO, keys, {"name": "N", "secrets": {"B": None, "C": "z"}}
    )
    assert (session.name, session.description, session.metadata) == ("N", "D", WRITTEN)
    assert session.secrets == {"A": "****", "C": "****"}
    assert (session.version, session.updated_at) == (2, START + timedelta(seconds=1))
    assert events[0].data["changes"] == [
        {"field": "name", "before": None, "after": None},
        {"field": "secrets", "before": None, "after": None},
    ]
    assert await peopled.command(stored) == session


async def test_a_deleted_session_is_gone(peopled: Database) -> None:
    await made(peopled)
    gone, events = await peopled.command(told, service.delete, BO, Keys(AGENT_KEY, SESSION_KEY), if_version=1)
    assert (gone.id, [event.topic for event in events]) == (1, ["agent_session.deleted"])
    assert await peopled.command(stored) is None


async def test_a_repeated_creation_is_made_once(peopled: Database) -> None:
    first = await peopled.command(service.create, BO, AGENT_KEY, {"name": "A"}, idempotency_key="k")
    assert await peopled.command(service.create, BO, AGENT_KEY, {"name": "A"}, idempotency_key="k") == first
    with pytest.raises(KeyReused):
        await peopled.command(service.create, BO, AGENT_KEY, {"name": "B"}, idempotency_key="k")
    assert await peopled.command(stored, 2) is None


@pytest.mark.parametrize(
    ("actor", "agent_key", "key", "given", "error", "path"),
    [
        (CY, AGENT_KEY, None, {}, Forbidden, ()),
        (BO, "agt_none", None, {}, NotFound, ("agent_key",)),
        (BO, AGENT_KEY, "a b", {}, InvalidInput, ("agent_session_key",)),
        (BO, AGENT_KEY, SESSION_KEY, {}, AlreadyExists, ("agent_session_key",)),
        (BO, AGENT_KEY, None, {"metadata": "[]"}, InvalidInput, ("metadata",)),
        (BO, AGENT_KEY, None, {"name": None}, InvalidInput, ("name",)),
        (BO, AGENT_KEY, None, {"tti_minutes": -1}, InvalidInput, ("tti_minutes",)),
        (BO, AGENT_KEY, None, {"secrets": {"a": "x" * 4097}}, TooLong, ("secrets", "a")),
    ],
)
async def test_a_refused_creation_makes_nothing(
    peopled: Database,
    actor: Any,
    agent_key: str,
    key: str | None,
    given: Any,
    error: type[DomainError],
    path: tuple[str, ...],
) -> None:
    await made(peopled)
    count = await peopled.command(logged)
    with pytest.raises(error) as refused:
        await peopled.command(service.create, actor, agent_key, given, agent_session_key=key)
    assert (refused.value.code, refused.value.path) == (error.code, path)
    assert (await peopled.command(stored, 2), await peopled.command(logged)) == (None, count)


async def test_a_disabled_agent_takes_no_sessions(peopled: Database) -> None:
    await peopled.command(service.update_agent, BO, {"enabled": False}, agent_key=AGENT_KEY)
    with pytest.raises(Disabled):
        await made(peopled)
    with pytest.raises(Disabled):
        await peopled.command(service.open_for_customer, BO, 1, AGENT_KEY)
    assert await peopled.command(stored) is None


@pytest.mark.parametrize(
    ("actor", "which", "changes", "version", "error", "path"),
    [
        (CY, FIRST, {"name": "N"}, None, Forbidden, ()),
        (DEE, FIRST, {"name": "N"}, None, NotFound, ("id",)),
        (DEE, Keys(AGENT_KEY, SESSION_KEY), {"name": "N"}, None, NotFound, ("agent_session_key",)),
        (BO, "ags_9", {"name": "N"}, None, NotFound, ("id",)),
        (BO, "ses_1", {"name": "N"}, None, InvalidInput, ("id",)),
        (BO, Keys(AGENT_KEY, "x"), {"name": "N"}, None, NotFound, ("agent_session_key",)),
        (BO, FIRST, {"name": "N"}, 2, VersionConflict, ("if_version",)),
        (BO, FIRST, {"name": "N", "enabled": None}, None, InvalidInput, ("enabled",)),
        (BO, FIRST, {"name": "N", "metadata": '"text"'}, None, InvalidInput, ("metadata",)),
        (BO, FIRST, {"name": "N", "secrets": {"a b": "x"}}, None, InvalidInput, ("secrets",)),
    ],
)
async def test_a_refused_update_changes_nothing(
    peopled: Database,
    actor: Any,
    which: Any,
    changes: Any,
    version: int | None,
    error: type[DomainError],
    path: tuple[str, ...],
) -> None:
    session = await made(peopled, metadata=WRITTEN)
    count = await peopled.command(logged)
    with pytest.raises(error) as refused:
        await peopled.command(service.update, actor, which, changes, if_version=version)
    assert (refused.value.code, refused.value.path) == (error.code, path)
    assert (await peopled.command(stored), await peopled.command(logged)) == (session, count)


@pytest.mark.parametrize("command", sorted(set(Command) - COMMANDS))
async def test_what_it_has_not_is_refused_and_changes_nothing(peopled: Database, command: Command) -> None:
    session = await made(peopled)
    count = await peopled.command(logged)
    with pytest.raises(NotSupported):
        await peopled.command(begin, ADA, FIRST, command)
    assert (await peopled.command(stored), await peopled.command(logged)) == (session, count)
