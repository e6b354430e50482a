"""Settings that connections to several systems share, and their checks."""

import re
from collections.abc import Callable, Collection, Mapping

from app.core.errors import InvalidInput
from app.interactions.model import Command

LONGEST_POLL = 3_600

_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")

Check = Callable[[object, str], None]
"""Raises InvalidInput for a value that the setting of this name cannot have."""


def checked_settings(given: Mapping[str, object], checks: Mapping[str, Check]) -> Mapping[str, object]:
    """The settings, if all are known and valid. Raises InvalidInput."""
    for member in given:
        if member not in checks:
            raise InvalidInput(f"There is no such setting. The settings are {', '.join(checks)}.", path=(member,))
    for member, check in checks.items():
        if member in given:
            check(given[member], member)
    return given


def seconds(least: float, most: float) -> Check:
    """A check of a time in seconds, from `least` to `most`."""

    def check(value: object, member: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise InvalidInput(f"This takes seconds from {least:g} to {most:,g}.", path=(member,))

    return check


poll_seconds = seconds(0.2, LONGEST_POLL)

LEAST_RATE, MOST_RATE = 0.1, 1_000.0


def requests_per_second(value: object, member: str) -> None:
    """The check of how many requests a second the other system bears."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not LEAST_RATE <= value <= MOST_RATE:
        raise InvalidInput(f"This takes {LEAST_RATE:g} to {MOST_RATE:,g} requests a second.", path=(member,))


def number_in(settings: Mapping[str, object], member: str, otherwise: float) -> float:
    """The number that a setting has, or else this one."""
    given = settings.get(member)
    return float(given) if isinstance(given, int | float) and not isinstance(given, bool) else otherwise


def page(value: object, member: str) -> None:
    """A check of a URL where people see one interaction in the other system."""
    if not isinstance(value, str) or "{id}" not in value or not value.startswith(("https://", "http://")):
        raise InvalidInput("This takes a URL with {id} in it.", path=(member,))


def page_of(settings: Mapping[str, object], key: str) -> str | None:
    """The URL where people see the interaction with this key, if the setting `page` is set."""
    given = settings.get("page")
    return given.replace("{id}", key) if isinstance(given, str) else None


def users(value: object, member: str) -> None:
    """A check of the numbers of users in the other system, by logins here."""
    if not isinstance(value, dict):
        raise InvalidInput("This takes an object that maps logins to numbers.", path=(member,))
    for login, number in value.items():
        if isinstance(number, bool) or not isinstance(number, int):
            raise InvalidInput("This takes the number of the user in the other system.", path=(member, login))


def login_of(settings: Mapping[str, object], number: int) -> str | None:
    """The login of the user to whom the setting `users` gives this number."""
    given = settings.get("users")
    return next((login for login, own in given.items() if own == number), None) if isinstance(given, dict) else None


def number_of(settings: Mapping[str, object], login: str) -> int | None:
    """The number in the other system of the user with this login, if the setting `users` has it."""
    given = settings.get("users")
    found = given.get(login) if isinstance(given, dict) else None
    return found if isinstance(found, int) else None


SIGNATURE_HEADER = "signatureHeader"
"""The setting that names the header with the signature of deliveries."""


def header(value: object, member: str) -> None:
    """A check of the name of a header."""
    if not isinstance(value, str) or not _HEADER.fullmatch(value):
        raise InvalidInput("This takes the name of a header.", path=(member,))


def with_signature(settings: Mapping[str, object], headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers of a delivery. That which the setting names is their `signature`."""
    name = settings.get(SIGNATURE_HEADER)
    return {**headers, "signature": headers.get(name.lower(), "")} if isinstance(name, str) else headers


def flag(value: object, member: str) -> None:
    """A check of true or false."""
    if not isinstance(value, bool):
        raise InvalidInput("This takes true or false.", path=(member,))


class Capabilities:
    """A check of what the other system can and cannot do, by `names`.

    Whether somebody sees an interaction is no capability of its system, but a matter of permissions."""

    def __init__(self, names: Collection[str]) -> None:
        self.names = frozenset(map(str, names)) - {Command.READ.value}

    def __call__(self, value: object, member: str) -> None:
        """Raise InvalidInput for anything but true or false by these names."""
        if not isinstance(value, dict):
            raise InvalidInput("This takes an object that maps commands to true or false.", path=(member,))
        for command, able in value.items():
            if command not in self.names or not isinstance(able, bool):
                known = ", ".join(sorted(self.names))
                raise InvalidInput(f"This takes true or false for {known}.", path=(member, command))
