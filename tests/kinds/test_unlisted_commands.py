"""A command that a kind does not list is refused: nothing is allowed because nobody thought of it."""

from enum import StrEnum
from types import SimpleNamespace
from typing import cast

import pytest

from app.core.actor import Actor
from app.core.errors import NotSupported
from app.interactions.claims import OF_EVERY_KIND
from app.interactions.kind import InteractionKind
from app.interactions.model import Command
from app.registry import KINDS
from app.settings import Settings
from tests.conftest import START

ADMIN = Actor(user_id=1, name="Admin", is_admin=True)


class Later(StrEnum):
    """A command that somebody adds one day."""

    ARCHIVE = "ARCHIVE"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_command_that_nobody_listed_is_refused(kind: InteractionKind) -> None:
    subject = SimpleNamespace(kind=kind.name)
    refused = kind.rules.refusal(cast("Command", Later.ARCHIVE), subject, ADMIN, START, Settings())
    assert isinstance(refused, NotSupported)


def test_commands_of_every_kind_are_commands() -> None:
    assert set(Command) > OF_EVERY_KIND
