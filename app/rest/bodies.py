"""Models of request bodies, and the messages of their faults.

They check types alone. What else a value has to be (its length, say) is for the rules of the services, in their own
words; a model tells it to the OpenAPI document: by `Within` beside a type that is checked here, by `Ruled` where all of
it is left to them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    SkipValidation,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from app.core.clock import parse_datetime
from app.core.errors import InvalidInput

T = TypeVar("T")

Path = tuple[str | int, ...]

_TOLD = "told"
_MISSING = "missing"
_OTHERWISE = "This is of a wrong type."

ABSENT: Any = None
"""The default of a member that is `given` only where the request has it."""

APART: Any = Field(default=None, exclude=True)
"""The default of a member that is read by itself."""

Ruled = Annotated[T, SkipValidation()]
"""`Ruled[T]` is described as a T, and kept as it came: the rules check it."""


@dataclass(frozen=True, slots=True)
class Told:
    """The message for a value of a wrong type; `{name}` stands for the member's name."""

    message: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = handler(source)
        return core_schema.custom_error_schema(inner, custom_error_type=_TOLD, custom_error_message=self.message)


@dataclass(frozen=True, slots=True)
class Within:
    """The bounds of a text, an array or a number, and the pattern of a text. The rules of the services check them."""

    least: int | None = None
    most: int | None = None
    pattern: str | None = None

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        found = handler(schema)
        of = {"string": "Length", "array": "Items"}.get(found.get("type", ""))
        names = ("minimum", "maximum") if of is None else (f"min{of}", f"max{of}")
        limits = zip((*names, "pattern"), (self.least, self.most, self.pattern), strict=True)
        return {**found, **{name: limit for name, limit in limits if limit is not None}}


class _FirstFault:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return {**handler(source), "fail_fast": True}


Listed = Annotated[list[T], _FirstFault()]
"""An array, which is looked at up to its first fault: more than that is told of no request."""


class _Needed:
    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_present, handler(source))


Needed = Annotated[T, _Needed()]
"""A required value where null is no value either."""


def told(message: str) -> Exception:
    """The error that a validator raises to give the client this message."""
    return PydanticCustomError(_TOLD, message)


def _moment(value: Any) -> datetime:
    try:
        return parse_datetime(value)
    except ValueError as error:
        found = str(error)
    raise told(found)


Moment = Annotated[datetime, PlainValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
"""A time as RFC 3339."""


@dataclass(frozen=True, slots=True)
class Faults:
    """A contract's messages for faults of members, by pydantic's name of the fault; `{name}` as in `Told`.

    `refusals` make the refusal of a fault from its path, where that is not an InvalidInput. The fault of a member of a
    wrong type `gives_way` to another fault of the same object, unless the member is missing."""

    words: Mapping[str, str]
    refusals: Mapping[str, Callable[[Path], Exception]] = field(default_factory=dict)
    gives_way: Mapping[str, str] = field(default_factory=dict)

    def refusal(self, error: ValidationError) -> Exception:
        """The refusal of a request with these faults. It keeps no reference to them."""
        found = error.errors(include_url=False, include_context=False, include_input=False)
        first = found[0]
        *within, name = first["loc"] or ("",)
        if name in self.gives_way and first["type"] != _MISSING:
            other = (*within, self.gives_way[str(name)])
            first = next((each for each in found if each["loc"] == other), first)
        kind, path = first["type"], first["loc"]
        if kind in self.refusals:
            return self.refusals[kind](path)
        text = first["msg"] if kind == _TOLD else self.words.get(kind, _OTHERWISE)
        return InvalidInput(text.replace("{name}", str(path[-1]) if path else "This"), path=path)


class Body(BaseModel):
    """An object of a request body; undeclared members are ignored.

    Of several faults the first is told, in the order in which the members are declared. No value that came is in a
    refusal or stays in an error."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True, loc_by_alias=False)

    faults: ClassVar[Faults] = Faults({})

    @classmethod
    def read(cls, value: object) -> Self:
        """The body of this JSON value. Raises InvalidInput, or the contract's own refusal of a fault."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            # The error holds the whole body, and would stay alive as the context of the refusal.
            refusal = cls.faults.refusal(error)
        raise refusal

    def given(self) -> Any:
        """The members that the request has, in the order of their declaration, without those in `APART`.

        Services take it as a TypedDict of changes."""
        fields = type(self).model_fields
        return {
            name: getattr(self, name) for name in fields if name in self.model_fields_set and not fields[name].exclude
        }


def _present(value: Any) -> Any:
    if value is None:
        raise PydanticCustomError(_MISSING, "There is nothing.")
    return value
