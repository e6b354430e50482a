"""What the contract's fields may contain."""

import re
from collections.abc import Mapping, Sequence

from app.core.errors import InvalidInput, TooLong
from app.core.numbers import LARGEST_INT
from app.core.text import is_storable
from app.kinds.chat_session.model.hours import zone

LENGTHS: Mapping[str, int] = {
    "customer_alias": 64,
    "customer_host": 255,
    "customer_name": 255,
    "customer_email": 255,
    "customer_company_name": 255,
    "customer_phone": 32,
}
"""How many characters a chat's texts may have, as in the contract's database."""

TOPIC_LENGTHS: Mapping[str, int] = {
    "name": 255,
    "description": 1024,
    "welcome_message": 1024,
    "language": 32,
    "time_zone": 64,
    "offline_message": 1024,
}

REFERENCES: Mapping[str, Mapping[str, type]] = {
    "person": {
        "person_id": int,
        "firstname": str,
        "lastname": str,
        "full_name": str,
        "email": str,
        "contact_id": int,
    },
    "contact": {"contact_id": int, "name": str},
    "project": {"project_id": int, "name": str},
    "sale": {"sale_id": int, "title": str, "amount": float, "currency": str},
    "ticket": {"ticket_id": int, "title": str, "base_status": str},
}
"""The items of a chat's references, the id first."""

REFERENCE_LENGTH = 255
NOBODY = -1
"""An id by which the contract says that a reference is empty."""

_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", re.ASCII)


def check_text(name: str, value: object, limit: int, *path: str | int) -> None:
    """Raise InvalidInput or TooLong, with the field's path, for a text that cannot be stored."""
    where = path or (name,)
    if not isinstance(value, str) or not is_storable(value):
        raise InvalidInput(f"{name} has to be a text without NUL or lone surrogates.", path=where)
    if len(value) > limit:
        raise TooLong(f"{name} may have at most {limit} characters, not {len(value)}.", path=where)


def check_int(name: str, value: object, *path: str | int, least: int = -LARGEST_INT - 1) -> None:
    """Raise InvalidInput, with the field's path, for a value that is not an int32 of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LARGEST_INT:
        raise InvalidInput(f"{name} has to be a whole number from {least} to {LARGEST_INT}.", path=path or (name,))


def check_session(changes: Mapping[str, object]) -> None:
    """Raise an error for the first value that a chat's contract refuses, with the field's path."""
    for name, limit in LENGTHS.items():
        if changes.get(name) is not None:
            check_text(name, changes[name], limit)
    for name in ("alert_level", "rating"):
        if changes.get(name) is not None:
            check_int(name, changes[name], least=0 if name == "alert_level" else -LARGEST_INT - 1)
    for name in ("alert_level", "status", "topic_id"):
        if name in changes and changes[name] is None:
            raise InvalidInput(f"{name} cannot be cleared.", path=(name,))


def check_reference(name: str, value: Mapping[str, object] | None) -> Mapping[str, object] | None:
    """A reference in its stored form: known items in the contract's order, None for an empty one.

    Raises InvalidInput or TooLong with the path of the item at fault."""
    if value is None:
        return None
    items = REFERENCES[name]
    kept: dict[str, object] = {}
    for item, kind in items.items():
        found = value.get(item)
        if found is None:
            continue
        if kind is str:
            check_text(item, found, REFERENCE_LENGTH, name, item)
        elif kind is int:
            check_int(item, found, name, item)
        elif isinstance(found, bool) or not isinstance(found, int | float):
            raise InvalidInput(f"{item} has to be a number.", path=(name, item))
        kept[item] = found
    unknown = sorted(set(value) - set(items))
    if unknown:
        raise InvalidInput(f"A {name} has no {unknown[0]}.", path=(name, unknown[0]))
    identity = next(iter(items))
    if kept.get(identity) == NOBODY:
        return None
    if identity not in kept:
        raise InvalidInput(f"A {name} needs its {identity}.", path=(name, identity))
    return kept


def check_topic(changes: Mapping[str, object]) -> None:
    """Raise an error for the first value that a topic refuses, with the field's path."""
    for name, limit in TOPIC_LENGTHS.items():
        if changes.get(name) is not None:
            check_text(name, changes[name], limit)
    name_given = changes.get("name", "given")
    if not isinstance(name_given, str) or not name_given.strip():
        raise InvalidInput("A topic needs a name.", path=("name",))
    for number in ("topic_id", "ticket_category_id", "ticket_priority_id"):
        if changes.get(number) is not None:
            check_int(number, changes[number], least=1)
    time_zone = changes.get("time_zone")
    if isinstance(time_zone, str):
        try:
            zone(time_zone)
        except ValueError:
            raise InvalidInput(
                "This takes the name of a time zone, such as Europe/Oslo.", path=("time_zone",)
            ) from None
    hours = changes.get("opening_hours")
    if isinstance(hours, Sequence):
        check_opening_hours(hours)


def check_opening_hours(hours: Sequence[Mapping[str, str]]) -> None:
    """Raise InvalidInput for times that are not `HH:MM`, or that close when they open.

    A span that closes before it opens closes on the next day."""
    for place, entry in enumerate(hours):
        for name in ("opens", "closes"):
            if _CLOCK.fullmatch(entry[name]) is None:
                raise InvalidInput("A time of day is written HH:MM.", path=("opening_hours", place, name))
        if entry["opens"] == "24:00":
            raise InvalidInput("A day ends at 24:00, so nothing opens then.", path=("opening_hours", place, "opens"))
        if entry["opens"] == entry["closes"]:
            raise InvalidInput("closes must differ from opens.", path=("opening_hours", place, "closes"))
