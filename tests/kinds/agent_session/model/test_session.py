from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.core.actor import Actor
from app.core.errors import Disabled, DomainError, Forbidden, InvalidInput, NotSupported, TooLong
from app.directory.model.checks import checked
from app.interactions.events import Deleted
from app.interactions.model import Cause, Command, Level, State, Turn
from app.kinds.agent_session.model import (
    AGENT_CHECKS,
    COMMANDS,
    SESSION_CHECKS,
    AgentSession,
    causes,
    deleted_at,
    merged_secrets,
    refusal,
    state,
)
from app.kinds.agent_session.model.agent import key
from app.kinds.agent_session.model.session import turn
from app.kinds.agent_session.settings import AgentSessionSettings

NOW = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)
ADMIN = Actor(user_id=1, name="Ada", is_admin=True)
RULE = AgentSessionSettings().escalation


def session(**fields: object) -> AgentSession:
    known: dict[str, object] = {
        "id": 1,
        "customer_id": 2,
        "agent_id": 3,
        "agent_key": "agt_customer_support",
        "agent_session_key": "ase_customer_support_001",
        "name": "Support",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return AgentSession(**(known | fields))  # type: ignore[arg-type]


def test_enabled_is_open_and_disabled_is_closed() -> None:
    assert state(session()) is State.OPEN
    assert state(session(enabled=False)) is State.CLOSED


def test_metadata_that_escalates_is_the_one_reason() -> None:
    assert causes(session(), RULE) == ()
    assert causes(session(metadata='{"priority":"urgent"}'), RULE) == (
        Cause("ESCALATED", Level.URGENT, "metadata that no longer escalates"),
    )


@pytest.mark.parametrize("command", sorted(set(Command) - COMMANDS))
@pytest.mark.parametrize("enabled", [True, False])
def test_an_agent_session_has_no_such_command(command: Command, enabled: bool) -> None:
    subject = session(enabled=enabled, state=State.OPEN if enabled else State.CLOSED)
    assert isinstance(refusal(command, subject, ADMIN, NOW), NotSupported)


@pytest.mark.parametrize("command", [Command.REPLY, Command.RECEIVE])
def test_a_disabled_session_accepts_no_message(command: Command) -> None:
    assert refusal(command, session(), ADMIN, NOW) is None
    assert isinstance(refusal(command, session(enabled=False, state=State.CLOSED), ADMIN, NOW), Disabled)


@pytest.mark.parametrize("command", [Command.UPDATE, Command.NOTE, Command.LABEL, Command.MARK_READ, Command.DELETE])
def test_a_disabled_session_can_still_be_worked_on(command: Command) -> None:
    assert refusal(command, session(enabled=False, state=State.CLOSED), ADMIN, NOW) is None


@pytest.mark.parametrize("command", sorted(Command))
def test_without_the_permission_everything_is_forbidden(command: Command) -> None:
    assert isinstance(refusal(command, session(), Actor(user_id=2, name="Bo"), NOW), Forbidden)


def test_it_expires_after_its_idle_time() -> None:
    end = NOW + timedelta(hours=1)
    assert deleted_at(session(tti_minutes=60)) == end
    assert turn(session(tti_minutes=60), end - timedelta(microseconds=1)) is None
    assert turn(session(tti_minutes=60), end) == Turn(Deleted(), None)


def test_without_an_idle_time_it_never_expires() -> None:
    assert deleted_at(session()) is None
    assert turn(session(), NOW + timedelta(days=10_000)) is None


def test_secrets_are_merged_and_no_value_is_kept() -> None:
    known = {"A": "****", "B": "****"}
    assert merged_secrets(known, {"B": None, "C_1-x": "hush", "A": "****", "D": "****", "E": None}) == {
        "A": "****",
        "C_1-x": "****",
    }
    assert merged_secrets(known, None) == known
    assert merged_secrets(known, {}) == known


@pytest.mark.parametrize(
    ("given", "error", "path"),
    [
        ([], InvalidInput, ("secrets",)),
        ({"a b": "x"}, InvalidInput, ("secrets",)),
        ({"": "x"}, InvalidInput, ("secrets",)),
        ({"a": ""}, InvalidInput, ("secrets", "a")),
        ({"a": 5}, InvalidInput, ("secrets", "a")),
        ({"a": "x" * 4097}, TooLong, ("secrets", "a")),
        ({str(number): "x" for number in range(101)}, TooLong, ("secrets",)),
    ],
)
def test_bad_secrets_are_refused(given: Any, error: type[DomainError], path: tuple[str, ...]) -> None:
    with pytest.raises(error) as refused:
        merged_secrets({}, given)
    assert (refused.value.code, refused.value.path) == (error.code, path)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"name": None}, InvalidInput),
        ({"name": " "}, InvalidInput),
        ({"name": "x" * 256}, TooLong),
        ({"description": "x" * 10_001}, TooLong),
        ({"metadata": "[]"}, InvalidInput),
        ({"enabled": None}, InvalidInput),
        ({"tti_minutes": -1}, InvalidInput),
        ({"tti_minutes": None}, InvalidInput),
    ],
)
def test_bad_changes_of_a_session_are_refused(changes: Mapping[str, Any], error: type[DomainError]) -> None:
    with pytest.raises(error) as refused:
        checked(changes, SESSION_CHECKS)
    assert (refused.value.code, refused.value.path) == (error.code, tuple(changes))


def test_good_changes_of_a_session_are_kept() -> None:
    changes = {"name": "N", "description": "", "metadata": None, "enabled": False, "tti_minutes": 60}
    assert checked(changes, SESSION_CHECKS) == changes | {"metadata": "{}"}


def test_null_clears_what_an_agent_may_be_without() -> None:
    changes = dict.fromkeys(AGENT_CHECKS) | {"name": "N"}
    assert checked(changes, AGENT_CHECKS) == {
        "name": "N",
        "description": None,
        "metadata": "{}",
        "tool_configurations": "{}",
        "model": "{}",
        "first_step": "{}",
        "first_step_name": None,
        "steps": "{}",
        "skills": "{}",
        "compaction": None,
        "enabled": True,
    }


@pytest.mark.parametrize("good", ["a", "agt_x-9", "x" * 50])
def test_keys(good: str) -> None:
    assert key(good, ()) == good


@pytest.mark.parametrize("bad", ["", " ", "a b", "å", "a/b", "a\n", "x" * 51])
def test_bad_keys(bad: str) -> None:
    with pytest.raises(InvalidInput):
        key(bad, ())
