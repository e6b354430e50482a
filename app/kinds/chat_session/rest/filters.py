"""Parses `$filter` and `$orderBy`, a small part of OData."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from app.core.errors import InvalidInput
from app.kinds.chat_session.model.session import STATUS_OF_WIRE, ChatSessionStatus
from app.kinds.chat_session.reads.listing import COLUMNS, Both, Condition, Test

LONGEST = 4_000
_DEEPEST = 20
_MOST_TESTS = 50
_MOST_ORDERS = 5

_TOKEN = re.compile(
    r"\s*(?:(?P<text>(?:datetime)?'(?:[^']|'')*')|(?P<time>\d{4}-\d\d-\d\d[0-9T:.Z+-]*)"
    r"|(?P<number>-?\d{1,18})(?![\w.])|(?P<name>[A-Za-z][\w/]*)|(?P<sign>[(),]))",
    re.ASCII,
)
_COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")
_FUNCTIONS = ("contains", "startswith")
_OF_LISTS = {"oneof": "oneOf", "notoneof": "notOneOf"}
_STATUSES = {name.lower(): status.value for name, status in STATUS_OF_WIRE.items()}


@dataclass(slots=True)
class _Reader:
    """Parses one filter. `values` are the bound values by name."""

    tokens: list[tuple[str, str]]
    values: dict[str, Any] = field(default_factory=dict)
    place: int = 0

    def whole(self) -> Condition:
        found = self.either(0)
        if self.place < len(self.tokens):
            raise _refused(f"it goes on with {self.tokens[self.place][1]!r}")
        return found

    def either(self, depth: int) -> Condition:
        parts = [self.both(depth)]
        while self.take("name", "or"):
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else Both(False, tuple(parts))

    def both(self, depth: int) -> Condition:
        parts = [self.one(depth)]
        while self.take("name", "and"):
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else Both(True, tuple(parts))

    def one(self, depth: int) -> Condition:
        if self.take("sign", "("):
            if depth == _DEEPEST:
                raise _refused("it is nested too deeply")
            found = self.either(depth + 1)
            self.need(")")
            return found
        kind, name = self.next("a column")
        if kind == "name" and name.lower() in _FUNCTIONS and self.take("sign", "("):
            column = self.column(*self.next("a column"))
            self.need(",")
            if COLUMNS[column].type != "text":
                raise _refused(f"{name} is about texts")
            found = self.test(column, name.lower())
            self.need(")")
            return found
        column = self.column(kind, name)
        _, operator = self.next("a comparison")
        if operator.lower() in _OF_LISTS:
            return self.among(column, operator.lower())
        if operator.lower() not in _COMPARISONS:
            raise _refused(f"{operator!r} is not one of {', '.join((*_COMPARISONS, *_OF_LISTS.values()))}")
        return self.test(column, operator.lower())

    def among(self, column: str, operator: str) -> Condition:
        """One of several values, or none of them."""
        self.need("(")
        is_none = operator == "notoneof"
        parts = [self.test(column, "ne" if is_none else "eq")]
        while self.take("sign", ","):
            parts.append(self.test(column, "ne" if is_none else "eq"))
        self.need(")")
        return Both(is_none, tuple(parts))

    def column(self, kind: str, name: str) -> str:
        if kind != "name" or name.lower() not in COLUMNS:
            raise _refused(f"there is no column {name!r}")
        return name.lower()

    def test(self, column: str, operator: str) -> Test:
        if len(self.values) == _MOST_TESTS:
            raise _refused(f"it has more than {_MOST_TESTS} comparisons")
        kind, text = self.next("a value")
        if kind == "name" and text.lower() == "null":
            if operator not in ("eq", "ne"):
                raise _refused(f"null is no value for {operator}")
            return Test(column, operator, None)
        of = COLUMNS[column].type
        if of == "status" and operator not in ("eq", "ne"):
            raise _refused("a status is equal or not")
        value = _value(of, kind, text)
        if operator == "contains" and value == "":
            # Every text.
            return Test(column, "ne", None)
        bind = f"value_{len(self.values)}"
        self.values[bind] = value
        return Test(column, operator, bind)

    def next(self, wanted: str) -> tuple[str, str]:
        if self.place == len(self.tokens):
            raise _refused(f"it ends where {wanted} should be")
        self.place += 1
        return self.tokens[self.place - 1]

    def take(self, kind: str, text: str) -> bool:
        here = self.place < len(self.tokens) and self.tokens[self.place]
        if not here or here[0] != kind or here[1].lower() != text:
            return False
        self.place += 1
        return True

    def need(self, sign: str) -> None:
        if not self.take("sign", sign):
            raise _refused(f"a {sign!r} is missing")


def condition_of(text: str | None) -> tuple[Condition | None, dict[str, Any]]:
    """A `$filter` as a condition with its bound values. Raises InvalidInput."""
    if text is None or not text.strip():
        return None, {}
    reader = _Reader(_tokens(text))
    return reader.whole(), reader.values


def orders_of(text: str | None) -> tuple[tuple[str, bool], ...]:
    """An `$orderBy` as columns, each with whether it descends. Raises InvalidInput."""
    found = []
    for part in (text or "").split(","):
        name, *direction = part.split()[:3] or [""]
        if not name and not text:
            continue
        if name.lower() not in COLUMNS or [each.lower() for each in direction] not in ([], ["asc"], ["desc"]):
            raise InvalidInput(f"$orderBy cannot be read: {part.strip()[:80]!r} is no column to sort by.")
        found.append((name.lower(), bool(direction) and direction[0].lower() == "desc"))
    if len(found) > _MOST_ORDERS:
        raise InvalidInput(f"$orderBy takes {_MOST_ORDERS} columns at most.")
    return tuple(found)


def _tokens(text: str) -> list[tuple[str, str]]:
    if len(text) > LONGEST:
        raise _refused(f"it is longer than {LONGEST} characters")
    found, place, text = [], 0, text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise _refused(f"{text[place:][:20]!r} is neither a name nor a value")
        found.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


def _value(of: str, kind: str, text: str) -> Any:
    if kind == "text":
        text = text.removeprefix("datetime")[1:-1].replace("''", "'")
    if of == "text" and kind == "text":
        return text
    if of == "int" and kind in ("number", "text") and re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        return int(text)
    if of == "status":
        statuses = list(ChatSessionStatus)
        if text.lower() in _STATUSES:
            return _STATUSES[text.lower()]
        if text.isascii() and text.isdigit() and len(text) < 3 and int(text) < len(statuses):
            return statuses[int(text)].value
    if of == "time" and kind in ("time", "text"):
        try:
            moment = datetime.fromisoformat(text)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise _refused(f"{text[:80]!r} is no value of such a column")


def _refused(why: str) -> InvalidInput:
    return InvalidInput(f"$filter cannot be read: {why}.")
