"""A command that a kind does not list is refused: nothing is allowed because nobody thought of it."""

from types import SimpleNamespace

import pytest

from app.core.actor import Actor
from app.core.errors import NotSupported
from app.interactions.claims import OF_EVERY_KIND
from app.interactions.kind import InteractionKind
from app.interactions.model import AnyCommand, Command
from app.kinds.chat_session.model.commands import ChatCommand
from app.kinds.conversation.model.commands import ConversationCommand
from app.registry import KINDS
from app.settings import Settings
from tests.conftest import START

ADMIN = Actor(user_id=1, name="Admin", is_admin=True)


class Later(AnyCommand):
    """A command that somebody adds one day."""

    ARCHIVE = "ARCHIVE"


def subject_of(kind: InteractionKind) -> SimpleNamespace:
    """No more than says whether its caller may write it."""
    return SimpleNamespace(kind=kind.name, team_id=0, assignee_id=None)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_command_that_nobody_listed_is_refused(kind: InteractionKind) -> None:
    refused = kind.rules.refusal(Later.ARCHIVE, subject_of(kind), ADMIN, START, Settings())
    assert isinstance(refused, NotSupported)


OWN = [command for own in (ChatCommand, ConversationCommand) for command in own]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("command", OWN)
def test_a_command_of_one_kind_is_refused_by_all_others(kind: InteractionKind, command: AnyCommand) -> None:
    if type(command).__module__.startswith(f"app.kinds.{kind.name}."):
        return
    refused = kind.rules.refusal(command, subject_of(kind), ADMIN, START, Settings())
    assert isinstance(refused, NotSupported)


def test_commands_of_every_kind_are_commands() -> None:
    assert set(Command) > OF_EVERY_KIND
    assert set(Command).isdisjoint(OWN)
