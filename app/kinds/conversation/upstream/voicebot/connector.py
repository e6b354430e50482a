"""The connector of the messaging bot's inbox."""

from typing import TYPE_CHECKING

from app.core.errors import InvalidInput
from app.interactions.connector import About, Mapped, Settings, Unmappable
from app.interactions.remote import Kept, Snapshot
from app.kinds.conversation.model.commands import COMMANDS
from app.kinds.conversation.upstream.voicebot.applying import apply_read
from app.kinds.conversation.upstream.voicebot.client import Read, VoicebotRemote

if TYPE_CHECKING:
    from app.storage.work import Work

_LONGEST_POLL = 3_600


class _Remote(VoicebotRemote):
    def apply(self, work: "Work", connection_id: int, settings: Settings, found: Snapshot, kept: Kept) -> Mapped | None:
        read = found.value
        return apply_read(work, connection_id, settings, read, kept) if isinstance(read, Read) else None


class Voicebot:
    """Conversations of the messaging bot are read by its lists, and written by its operations."""

    system = "VOICEBOT"
    description = "The messaging bot's inbox, read and written by its REST contract."
    remote = _Remote()

    def prepared(self, work: "Work", connection_id: int, name: str, given: Settings) -> Settings:
        for member in given:
            if member not in _CHECKS:
                raise InvalidInput(f"The settings are {', '.join(_CHECKS)}.", path=(member,))
        for member, check in _CHECKS.items():
            if member in given:
                check(given[member], member)
        return given

    def problems(self, work: "Work", settings: Settings) -> list[str]:
        return []

    def apply(self, work: "Work", connection_id: int, settings: Settings, body: str) -> Mapped | None:
        raise Unmappable("This system is read; its deliveries are not understood.")

    def about(self, work: "Work", connection_id: int, settings: Settings, body: str) -> About:
        return About()


def _poll(value: object, member: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.2 <= value <= _LONGEST_POLL:
        raise InvalidInput(f"This takes seconds from 0.2 to {_LONGEST_POLL:,}.", path=(member,))


def _page(value: object, member: str) -> None:
    if not isinstance(value, str) or "{id}" not in value or not value.startswith(("https://", "http://")):
        raise InvalidInput("This takes a URL with {id} in it.", path=(member,))


def _users(value: object, member: str) -> None:
    if not isinstance(value, dict):
        raise InvalidInput("This takes an object of numbers by logins.", path=(member,))
    for login, number in value.items():
        if isinstance(number, bool) or not isinstance(number, int):
            raise InvalidInput("This takes the number of the user in the other system.", path=(member, login))


def _capabilities(value: object, member: str) -> None:
    if not isinstance(value, dict):
        raise InvalidInput("This takes an object of booleans by commands.", path=(member,))
    for command, able in value.items():
        if command not in COMMANDS or not isinstance(able, bool):
            raise InvalidInput("This takes true or false for a command of conversations.", path=(member, command))


_CHECKS = {"pollSeconds": _poll, "page": _page, "users": _users, "capabilities": _capabilities}
