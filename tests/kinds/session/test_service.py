from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.errors import (
    DomainError,
    Forbidden,
    InvalidInput,
    InvalidTransition,
    NotFound,
    NotSupported,
    TooLong,
    Unreachable,
    VersionConflict,
)
from app.core.events import EventRecord
from app.core.ids import GlobalId
from app.interactions.model import Command, Level, State
from app.interactions.service.change import begin
from app.interactions.service.messages import receive_message
from app.kinds.session import service
from app.kinds.session.model import COMMANDS, ContentType, Session, SuggestedMessage, Suggestion
from app.kinds.session.repository import SessionRepository
from app.storage.database import Database, Work
from tests.conftest import START, ManualClock
from tests.kinds.conftest import ADA, BO, CY, DEE
from tests.kinds.session.conftest import CUSTOMER_KEY

pytestmark = pytest.mark.anyio

FIRST = GlobalId("ses", 1)


def opened(work: Work, customer_id: int = 1) -> Session:
    return service.open_for_customer(work, BO, customer_id)


def told(work: Work, f: Any, *args: Any, **kwargs: Any) -> tuple[Any, list[EventRecord]]:
    """What a service returns and the events it records."""
    result = f(work, *args, **kwargs)
    return result, list(work.events)


def whole(work: Work) -> tuple[Session | None, tuple[SuggestedMessage, ...]]:
    repository = work.use(SessionRepository)
    return repository.load(1), repository.suggestions(1)


def tags(work: Work) -> list[tuple[str, str]]:
    rows = work.connection.execute(sa.text("SELECT name, value FROM interaction_tag ORDER BY name, value"))
    return [(row[0], row[1]) for row in rows]


def logged(work: Work) -> int:
    return int(work.connection.execute(sa.text("SELECT count(*) FROM event_log")).scalar_one())


async def test_a_new_session_is_open_with_the_bot_at_work(peopled: Database) -> None:
    session, events = await peopled.command(told, opened)
    assert session == Session(
        id=1,
        customer_id=1,
        session_key="00000000-0000-7000-8000-000000000001",
        state=State.OPEN,
        bot_active=True,
        created_at=START,
        updated_at=START,
        due_at=START + timedelta(hours=2),
        opened_at=START,
    )
    assert [event.topic for event in events] == ["session.created"]
    assert await peopled.command(whole) == (session, ())


async def test_within_the_window_the_customer_has_the_same_session(peopled: Database, clock: ManualClock) -> None:
    await peopled.command(opened)
    clock.advance(2 * 3600 - 1)
    assert (await peopled.command(opened)).id == 1
    clock.advance(1)
    assert await peopled.command(service.current, 1) is None
    assert (await peopled.command(opened)).id == 2
    assert (await peopled.command(opened, 3)).id == 3


async def test_a_flagged_session_stays_current(peopled: Database, clock: ManualClock) -> None:
    await peopled.command(opened)
    await peopled.command(service.update, BO, {"need_attention": True}, ref=FIRST)
    clock.advance(30 * 86_400)
    assert (await peopled.command(opened)).id == 1


async def test_the_latest_of_several_is_the_current_one(peopled: Database, clock: ManualClock) -> None:
    await peopled.command(opened)
    clock.advance(3 * 3600)
    await peopled.command(opened)
    await peopled.command(service.update, BO, {"need_attention": True}, ref=FIRST)
    current = await peopled.command(service.current, 1)
    assert current is not None
    assert current.id == 2


async def test_nobody_opens_a_session_without_permission_or_customer(peopled: Database) -> None:
    with pytest.raises(Forbidden):
        await peopled.command(service.open_for_customer, CY, 1)
    with pytest.raises(NotFound):
        await peopled.command(opened, 9)
    assert await peopled.command(logged) == 0


async def test_an_update_of_the_current_session_by_its_customer(peopled: Database, clock: ManualClock) -> None:
    await peopled.command(opened)
    clock.advance(60)
    suggestion = Suggestion(remote_id="26ae9dea-cd8b-449b-bbb1-cdedf3216686", content="What can I do to help?")
    changes = {
        "need_attention": True,
        "tags": ["detox"],
        "topics": ["product"],
        "suggested_messages": [suggestion],
    }
    session, events = await peopled.command(told, service.update, BO, changes, customer_key=CUSTOMER_KEY)
    assert (session.need_attention, session.bot_active) == (True, False)
    assert (session.tags, session.topics) == (("detox",), ("product",))
    assert (session.version, session.updated_at) == (2, START + timedelta(seconds=60))
    assert (session.attention.level, session.attention.reason) == (Level.HIGH, "FLAGGED")
    assert session.attention.since == START + timedelta(seconds=60)
    assert [event.topic for event in events] == ["session.updated", "attention.raised"]
    assert events[0].data["changes"] == [
        {"field": "botActive", "before": "true", "after": "false"},
        {"field": "needAttention", "before": "false", "after": "true"},
        {"field": "tags", "before": None, "after": None},
        {"field": "topics", "before": None, "after": None},
        {"field": "suggestedMessages", "before": None, "after": None},
    ]
    stored, suggestions = await peopled.command(whole)
    assert stored is not None
    assert (stored.tags, stored.topics, stored.need_attention) == (("detox",), ("product",), True)
    assert suggestions == (
        SuggestedMessage(
            id=1,
            suggestion_key="00000000-0000-7000-8000-000000000002",
            remote_id=suggestion.remote_id,
            content="What can I do to help?",
            content_type=ContentType.TEXT,
        ),
    )
    assert await peopled.command(tags) == [("tag", "detox"), ("topic", "product")]


async def test_the_end_of_the_flag_resumes_the_bot_and_clears_attention(peopled: Database) -> None:
    await peopled.command(opened)
    await peopled.command(service.update, BO, {"need_attention": True}, ref=FIRST)
    session, events = await peopled.command(told, service.update, BO, {"need_attention": False}, ref=FIRST)
    assert (session.need_attention, session.bot_active, session.attention.needed) == (False, True, False)
    assert [event.topic for event in events] == ["session.updated", "attention.cleared"]


async def test_a_flag_that_ends_after_the_window_closes_the_session(peopled: Database, clock: ManualClock) -> None:
    await peopled.command(opened)
    await peopled.command(service.update, BO, {"need_attention": True}, ref=FIRST)
    clock.advance(7200)
    session = await peopled.command(service.update, BO, {"need_attention": False}, ref=FIRST)
    assert session.state is State.CLOSED
    assert await peopled.command(service.current, 1) is None
    again = await peopled.command(service.update, BO, {"need_attention": True}, ref=FIRST)
    assert again.state is State.OPEN


async def test_null_and_an_empty_list_clear_and_absence_keeps(peopled: Database) -> None:
    await peopled.command(opened)
    item = Suggestion(remote_id="r", content="Hello")
    await peopled.command(service.update, BO, {"tags": ["a"], "topics": ["b"], "suggested_messages": [item]}, ref=FIRST)
    kept, events = await peopled.command(told, service.update, BO, {}, ref=FIRST)
    assert (kept.version, events) == (2, [])
    same, events = await peopled.command(told, service.update, BO, {"suggested_messages": [item]}, ref=FIRST)
    assert (same.version, events) == (2, [])
    await peopled.command(service.update, BO, {"tags": None, "suggested_messages": None}, ref=FIRST)
    session, suggestions = await peopled.command(whole)
    assert session is not None
    assert (session.tags, session.topics, suggestions) == ((), ("b",), ())
    assert await peopled.command(tags) == [("topic", "b")]


async def test_replacing_suggestions_keeps_those_with_the_same_remote_id(peopled: Database) -> None:
    await peopled.command(opened)
    first = [Suggestion(remote_id="a", content="A"), Suggestion(remote_id="b", content="B")]
    await peopled.command(service.update, BO, {"suggested_messages": first}, ref=FIRST)
    assert await peopled.command(service.use_suggested_message, BO, GlobalId("sug", 2)) == {
        "suggested_message": 2,
        "session": 1,
    }
    second = [Suggestion(remote_id="b", content="B2"), Suggestion(remote_id=None, content="C")]
    await peopled.command(service.update, BO, {"suggested_messages": second}, ref=FIRST)
    _, suggestions = await peopled.command(whole)
    assert [(s.id, s.remote_id, s.content, s.selected_count) for s in suggestions] == [
        (2, "b", "B2", 1),
        (3, None, "C", 0),
    ]


async def test_every_use_of_a_suggestion_counts(peopled: Database) -> None:
    await peopled.command(opened)
    item = Suggestion(remote_id="a", content="A")
    await peopled.command(service.update, BO, {"suggested_messages": [item]}, ref=FIRST)
    for count in (1, 2):
        _, events = await peopled.command(told, service.use_suggested_message, BO, GlobalId("sug", 1))
        (event,) = events
        assert (event.topic, event.version) == ("session.suggested_message_used", 2)
        assert event.data["suggested_message"] == "sug_1"
        assert event.data["selected_count"] == count


@pytest.mark.parametrize(("actor", "number", "error"), [(CY, 1, Forbidden), (DEE, 1, NotFound), (BO, 2, NotFound)])
async def test_a_use_that_is_refused_does_not_count(
    peopled: Database, actor: Any, number: int, error: type[DomainError]
) -> None:
    await peopled.command(opened)
    item = Suggestion(remote_id="a", content="A")
    await peopled.command(service.update, BO, {"suggested_messages": [item]}, ref=FIRST)
    before = await peopled.command(logged)
    with pytest.raises(error):
        await peopled.command(service.use_suggested_message, actor, GlobalId("sug", number))
    _, suggestions = await peopled.command(whole)
    assert suggestions[0].selected_count == 0
    assert await peopled.command(logged) == before


@pytest.mark.parametrize(
    ("actor", "given", "error", "path"),
    [
        (BO, {"customer_key": "nobody"}, NotFound, ("customer_key",)),
        (BO, {"customer_key": "left"}, NotFound, ("customer_key",)),
        (BO, {"ref": GlobalId("ses", 9)}, NotFound, ("id",)),
        (BO, {"ref": GlobalId("cnv", 1)}, InvalidInput, ("id",)),
        (BO, {"ref": "ses_x"}, NotFound, ("id",)),
        (BO, {}, InvalidInput, ("id",)),
        (BO, {"ref": FIRST, "customer_key": CUSTOMER_KEY}, InvalidInput, ("id",)),
        (BO, {"ref": FIRST, "if_version": 2}, VersionConflict, ("if_version",)),
        (CY, {"ref": FIRST}, Forbidden, ()),
        (DEE, {"ref": FIRST}, Forbidden, ()),
    ],
)
async def test_a_refused_update_changes_nothing(
    peopled: Database, actor: Any, given: dict[str, Any], error: type[DomainError], path: tuple[str | int, ...]
) -> None:
    await peopled.command(opened)
    before = await peopled.command(whole)
    count = await peopled.command(logged)
    with pytest.raises(error) as refused:
        await peopled.command(service.update, actor, {"tags": ["x"], "need_attention": True}, **given)
    assert (refused.value.code, refused.value.path) == (error.code, path)
    assert await peopled.command(whole) == before
    assert await peopled.command(logged) == count


@pytest.mark.parametrize(
    ("changes", "error", "path"),
    [
        ({"need_attention": True, "tags": [""]}, InvalidInput, ("tags", 0)),
        ({"need_attention": True, "topics": ["x" * 256]}, TooLong, ("topics", 0)),
        (
            {"need_attention": True, "suggested_messages": [Suggestion(remote_id="r", content="")]},
            InvalidInput,
            ("suggested_messages", 0, "content"),
        ),
    ],
)
async def test_bad_input_changes_nothing(
    peopled: Database, changes: Any, error: type[DomainError], path: tuple[str | int, ...]
) -> None:
    await peopled.command(opened)
    before = await peopled.command(whole)
    with pytest.raises(error) as refused:
        await peopled.command(service.update, BO, changes, ref=FIRST)
    assert (refused.value.code, refused.value.path) == (error.code, path)
    assert await peopled.command(whole) == before
    assert await peopled.command(logged) == 1


@pytest.mark.parametrize("command", sorted(set(Command) - COMMANDS))
async def test_what_a_session_has_not_is_refused_and_changes_nothing(peopled: Database, command: Command) -> None:
    await peopled.command(opened)
    before = await peopled.command(whole)
    with pytest.raises(NotSupported):
        await peopled.command(begin, ADA, FIRST, command)
    assert await peopled.command(whole) == before
    assert await peopled.command(logged) == 1


async def test_a_reply_goes_to_current_sessions_of_reachable_customers(peopled: Database, clock: ManualClock) -> None:
    def reply(work: Work, number: int) -> None:
        begin(work, BO, GlobalId("ses", number), Command.REPLY)

    for customer_id in (1, 2, 3):
        await peopled.command(opened, customer_id)
    await peopled.command(reply, 1)
    for number in (2, 3):
        with pytest.raises(Unreachable):
            await peopled.command(reply, number)
    clock.advance(7200)
    with pytest.raises(InvalidTransition):
        await peopled.command(reply, 1)


async def test_a_message_needs_a_customer(peopled: Database) -> None:
    text = {"type": "text", "content": "Hi"}
    with pytest.raises(InvalidInput):
        await peopled.command(receive_message, BO, {"kind": "session", "customer_id": None}, [text])
    posted = await peopled.command(receive_message, BO, {"kind": "session", "customer_id": 1}, [text])
    assert posted == (1, 1)
