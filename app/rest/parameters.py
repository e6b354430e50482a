"""Parameters of requests: their declaration and their values."""

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, Literal

from app.core.errors import InvalidInput
from app.core.text import is_storable
from app.rest.errors import BadRequest
from app.rest.escapes import decoded

_MOST_PARAMETERS = 100


class Parameters(Mapping[str, str]):
    """A query string or a form; of a repeated parameter the last value counts. Raises BadRequest for invalid
    encoding."""

    def __init__(self, raw: bytes) -> None:
        try:
            pairs = decoded(raw, _MOST_PARAMETERS)
        except ValueError:
            raise BadRequest(400, "The parameters cannot be read.") from None
        for name, value in pairs:
            if not (is_storable(name) and is_storable(value)):
                raise BadRequest(400, "The parameters hold text that cannot be stored.")
        self._values = dict(pairs)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def integer(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number. Raises InvalidInput."""
        given = self._values.get(name)
        if given is None:
            return default
        if not (
            given.isascii() and given.removeprefix("-").isdigit() and len(given) <= 20 and least <= int(given) <= most
        ):
            raise InvalidInput(f"{name} has to be a whole number from {least} to {most}.", path=(name,))
        return int(given)

    def flag(self, name: str) -> bool | None:
        """True or false; None when it is absent. Raises InvalidInput."""
        given = self._values.get(name)
        if given is None:
            return None
        if given.lower() not in ("true", "false"):
            raise InvalidInput(f"{name} has to be true or false.", path=(name,))
        return given.lower() == "true"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation. `what` is its description."""

    name: str
    what: str
    _: KW_ONLY
    place: Literal["query", "path", "header"] = "query"
    required: bool = False

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of its values."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Text(Parameter):
    """Any text, or one of `among`. The rules of the services check its bounds."""

    _: KW_ONLY
    least: int | None = None
    most: int | None = None
    among: tuple[str, ...] = ()

    def schema(self) -> dict[str, Any]:
        limits = {"minLength": self.least, "maxLength": self.most, "enum": list(self.among) or None}
        return {"type": "string", **{name: limit for name, limit in limits.items() if limit is not None}}

    def read(self, given: Parameters) -> str | None:
        """None when it is absent."""
        return given.get(self.name)


@dataclass(frozen=True, slots=True)
class Whole(Parameter):
    """A whole number within bounds; one of the query has a default, or is required."""

    _: KW_ONLY
    least: int
    most: int
    default: int | None = None

    def schema(self) -> dict[str, Any]:
        found = {"type": "integer", "minimum": self.least, "maximum": self.most}
        return found if self.default is None else {**found, "default": self.default}

    def read(self, given: Parameters) -> int:
        """The default, or 0, when it is absent. Raises InvalidInput."""
        return given.integer(self.name, self.default or 0, self.least, self.most)


@dataclass(frozen=True, slots=True)
class Flag(Parameter):
    """True or false."""

    _: KW_ONLY
    default: bool | None = None

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"} if self.default is None else {"type": "boolean", "default": self.default}

    def read(self, given: Parameters) -> bool | None:
        """The default when it is absent. Raises InvalidInput."""
        found = given.flag(self.name)
        return self.default if found is None else found


def in_path(name: str, what: str) -> Text:
    """A text that is a segment of the path."""
    return Text(name, what, place="path", required=True, least=1)


IDEMPOTENCY_KEY = Text(
    "Idempotency-Key",
    "A repeat under the same key within 24 hours gives the first answer again.",
    place="header",
    least=1,
    most=255,
)
