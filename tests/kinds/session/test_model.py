from datetime import UTC, datetime, timedelta

import pytest

from app.core.actor import Actor
from app.core.errors import DomainError, Forbidden, InvalidInput, InvalidTransition, NotSupported, TooLong, Unreachable
from app.interactions.model import Cause, Command, Level, ReplyBlock, State, Turn
from app.kinds.session.events import Ended
from app.kinds.session.model import (
    COMMANDS,
    LARGEST_LIST,
    LONGEST_CONTENT,
    LONGEST_REMOTE_ID,
    LONGEST_TAG,
    ContentType,
    Session,
    SessionChanges,
    SuggestedMessage,
    Suggestion,
    causes,
    flagged,
    is_current,
    refusal,
    replaced_suggestions,
    reply_block,
    state,
    turn,
    updated,
    window_end,
)
from app.kinds.session.settings import SessionSettings
from app.settings import Settings

NOW = datetime(2017, 5, 24, 19, 32, 54, tzinfo=UTC)
WINDOW = timedelta(hours=2)
MOMENT = timedelta(microseconds=1)
ADMIN = Actor(user_id=1, name="Ada", is_admin=True)


def session(**fields: object) -> Session:
    known: dict[str, object] = {
        "id": 1,
        "customer_id": 2,
        "session_key": "7cb0a876-5d34-4e03-b725-932606041626",
        "bot_active": True,
        "created_at": NOW,
        "updated_at": NOW,
        "last_message_at": NOW,
    }
    return Session(**(known | fields))  # type: ignore[arg-type]


def test_it_is_current_for_the_window_after_its_last_message() -> None:
    told = session(created_at=NOW - timedelta(days=1))
    assert window_end(told, WINDOW) == NOW + WINDOW
    assert is_current(told, NOW + WINDOW - MOMENT, WINDOW)
    assert not is_current(told, NOW + WINDOW, WINDOW)
    assert state(told, NOW + WINDOW - MOMENT, WINDOW) is State.OPEN
    assert state(told, NOW + WINDOW, WINDOW) is State.CLOSED


def test_before_its_first_message_it_counts_from_its_creation() -> None:
    new = session(last_message_at=None)
    assert window_end(new, WINDOW) == NOW + WINDOW
    assert state(new, NOW, WINDOW) is State.OPEN


def test_a_flag_keeps_it_current_without_end() -> None:
    waiting = session(need_attention=True)
    assert window_end(waiting, WINDOW) is None
    assert state(waiting, NOW + timedelta(days=365), WINDOW) is State.OPEN


def test_time_alone_ends_a_session_that_is_not_current() -> None:
    told = session()
    assert turn(told, NOW + WINDOW - MOMENT, WINDOW) is None
    assert turn(told, NOW + WINDOW, WINDOW) == Turn(Ended(), told)
    assert turn(session(need_attention=True), NOW + timedelta(days=365), WINDOW) is None


def test_the_flag_is_the_one_reason_for_attention() -> None:
    assert causes(session()) == ()
    assert causes(session(need_attention=True)) == (
        Cause("FLAGGED", Level.HIGH, "needAttention false", clearable=True),
    )


def test_flagging_pauses_the_bot_and_the_end_of_it_resumes_it() -> None:
    asking = flagged(session(), True)
    assert (asking.need_attention, asking.bot_active) == (True, False)
    content = flagged(asking, False)
    assert (content.need_attention, content.bot_active) == (False, True)


STRICT = Settings().having(SessionSettings(allow_reply_without_attention=False))


def refused(command: Command, subject: Session, *, now: datetime = NOW, settings: Settings | None = None) -> str | None:
    found = refusal(command, subject, ADMIN, now, settings or Settings())
    return None if found is None else found.code


@pytest.mark.parametrize("command", sorted(set(Command) - COMMANDS))
def test_a_session_has_no_such_command(command: Command) -> None:
    found = refusal(command, session(), ADMIN, NOW, Settings())
    assert isinstance(found, NotSupported)


def test_closing_and_reopening_say_that_it_ages_out() -> None:
    for command in (Command.CLOSE, Command.REOPEN):
        found = refusal(command, session(), ADMIN, NOW, Settings())
        assert found is not None
        assert "ages out" in found.message


@pytest.mark.parametrize("command", [Command.RECEIVE, Command.UPDATE, Command.NOTE, Command.LABEL, Command.MARK_READ])
def test_one_that_is_over_can_still_be_worked_on(command: Command) -> None:
    assert refused(command, session(state=State.CLOSED), now=NOW + WINDOW) is None


@pytest.mark.parametrize("command", sorted(Command))
def test_without_the_permission_everything_is_forbidden(command: Command) -> None:
    nobody = Actor(user_id=2, name="Bo")
    found = refusal(command, session(), nobody, NOW, Settings())
    assert isinstance(found, Forbidden)


def test_a_reply_goes_to_a_current_session_alone() -> None:
    assert refused(Command.REPLY, session(), now=NOW + WINDOW - MOMENT) is None
    assert refused(Command.REPLY, session(), now=NOW + WINDOW) == InvalidTransition.code
    assert refused(Command.REPLY, session(need_attention=True), now=NOW + WINDOW) is None


def test_a_setting_forbids_replies_without_the_flag() -> None:
    assert refused(Command.REPLY, session(), settings=STRICT) == InvalidTransition.code
    assert refused(Command.REPLY, session(need_attention=True), settings=STRICT) is None


def test_a_bot_may_write_whatever_the_setting_says_of_users() -> None:
    assert refused(Command.BOT_REPLY, session(), settings=STRICT) is None
    assert refused(Command.BOT_REPLY, session(unsubscribed=True), settings=STRICT) == Unreachable.code


def test_a_customer_without_number_or_subscription_cannot_be_written_to() -> None:
    assert refused(Command.REPLY, session(unsubscribed=True)) == Unreachable.code
    assert refused(Command.REPLY, session(has_number=False)) == Unreachable.code
    assert refused(Command.RECEIVE, session(unsubscribed=True, has_number=False)) is None


@pytest.mark.parametrize(
    ("subject", "later", "block"),
    [
        (session(), MOMENT, None),
        (session(), WINDOW, ReplyBlock.CLOSED),
        (session(need_attention=True), WINDOW, None),
        (session(unsubscribed=True), MOMENT, ReplyBlock.UNSUBSCRIBED),
        (session(has_number=False), MOMENT, ReplyBlock.NO_NUMBER),
        (session(assignee_id=1), MOMENT, None),
        (session(assignee_id=7), MOMENT, ReplyBlock.HELD_BY_OTHER),
        (session(cannot="REPLY"), MOMENT, ReplyBlock.NOT_ALLOWED),
        (session(cannot="CLOSE"), MOMENT, None),
    ],
)
def test_reply_is_blocked_for_a_reason(subject: Session, later: timedelta, block: ReplyBlock | None) -> None:
    assert reply_block(subject, ADMIN, NOW + later, Settings()) is block
    assert reply_block(subject, Actor(user_id=1, name="Bo"), NOW + later, Settings()) is ReplyBlock.NOT_ALLOWED


def test_reply_without_the_flag_is_blocked_by_the_bot_where_a_setting_says_so() -> None:
    assert reply_block(session(), ADMIN, NOW, STRICT) is ReplyBlock.BOT_IN_CHARGE
    assert reply_block(session(need_attention=True), ADMIN, NOW, STRICT) is None


def test_an_update_touches_only_what_it_names() -> None:
    before = session(need_attention=True, bot_active=False, tags=("a",), topics=("b",))
    assert updated(before, {}) == before
    after = updated(before, {"tags": ["mobile", "x", "mobile"]})
    assert (after.tags, after.topics, after.need_attention) == (("mobile", "x"), ("b",), True)
    after = updated(after, {"topics": ["sleep", "skin+hair"], "need_attention": False})
    assert (after.topics, after.need_attention, after.bot_active) == (("sleep", "skin+hair"), False, True)


@pytest.mark.parametrize("nothing", [None, []])
def test_null_and_an_empty_list_both_clear(nothing: list[str] | None) -> None:
    after = updated(session(tags=("a",), topics=("b",)), {"tags": nothing, "topics": nothing})
    assert (after.tags, after.topics) == ((), ())


@pytest.mark.parametrize(
    ("changes", "error", "path"),
    [
        ({"tags": ["a", " "]}, InvalidInput, ("tags", 1)),
        ({"topics": ["a" * (LONGEST_TAG + 1)]}, TooLong, ("topics", 0)),
        ({"tags": [str(number) for number in range(LARGEST_LIST + 1)]}, TooLong, ("tags",)),
    ],
)
def test_a_bad_list_is_refused_with_its_place(
    changes: SessionChanges, error: type[DomainError], path: tuple[str | int, ...]
) -> None:
    with pytest.raises(error) as refused:
        updated(session(), changes)
    assert (refused.value.code, refused.value.path) == (error.code, path)


def test_lists_may_be_as_long_as_the_limits() -> None:
    long = ["a" * LONGEST_TAG] + [str(number) for number in range(LARGEST_LIST - 1)]
    assert updated(session(), {"tags": long}).tags == tuple(long)


def known(**fields: object) -> SuggestedMessage:
    stored: dict[str, object] = {
        "id": 5,
        "suggestion_key": "old",
        "remote_id": "r1",
        "content": "Hello",
        "content_type": ContentType.TEXT,
        "selected_count": 3,
    }
    return SuggestedMessage(**(stored | fields))  # type: ignore[arg-type]


def test_suggestions_are_replaced_whole_and_the_same_remote_id_stays_the_same_one() -> None:
    keys = iter(["new"])
    after = replaced_suggestions(
        [known(), known(id=6, suggestion_key="other", remote_id="r2")],
        [Suggestion(remote_id=None, content="Bye"), Suggestion(remote_id="r1", content="Hello there")],
        lambda: next(keys),
    )
    assert after == (
        SuggestedMessage(suggestion_key="new", remote_id=None, content="Bye", content_type=ContentType.TEXT),
        known(content="Hello there"),
    )
    assert replaced_suggestions([known()], [], lambda: "x") == ()


@pytest.mark.parametrize(
    ("wanted", "error", "path"),
    [
        ([Suggestion(remote_id="a", content=" ")], InvalidInput, ("suggested_messages", 0, "content")),
        (
            [Suggestion(remote_id="a", content="x" * (LONGEST_CONTENT + 1))],
            TooLong,
            ("suggested_messages", 0, "content"),
        ),
        (
            [Suggestion(remote_id="a" * (LONGEST_REMOTE_ID + 1), content="x")],
            TooLong,
            ("suggested_messages", 0, "remote_id"),
        ),
        ([Suggestion(remote_id="", content="x")], InvalidInput, ("suggested_messages", 0, "remote_id")),
        (
            [Suggestion(remote_id="a", content="x"), Suggestion(remote_id="a", content="y")],
            InvalidInput,
            ("suggested_messages", 1, "remote_id"),
        ),
        ([Suggestion(remote_id=None, content="x")] * (LARGEST_LIST + 1), TooLong, ("suggested_messages",)),
    ],
)
def test_bad_suggestions_are_refused_with_their_place(
    wanted: list[Suggestion], error: type[DomainError], path: tuple[str | int, ...]
) -> None:
    with pytest.raises(error) as refused:
        replaced_suggestions([], wanted, lambda: "key")
    assert (refused.value.code, refused.value.path) == (error.code, path)
