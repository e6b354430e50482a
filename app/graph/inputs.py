"""From a mutation's input to the changes that services take."""

from typing import Any, TypeVar, cast

from strawberry import Some

Changes = TypeVar("Changes")


def changes(of: type[Changes], given: object, *names: str) -> Changes:
    """The fields of an input that were given, by snake_case name, as changes `of` this kind, a TypedDict: an absent one
    is absent, null is None.

    `names` are fields of type `strawberry.Maybe`."""
    found: dict[str, Any] = {name: value.value for name in names if isinstance(value := getattr(given, name), Some)}
    return cast("Changes", found)
