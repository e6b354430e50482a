"""From a mutation's input to the changes that services take."""

from typing import Any, TypeVar, cast

from strawberry import Some

Changes = TypeVar("Changes")


def changes(of: type[Changes], given: object, *names: str) -> Changes:
    """The fields of an input that were given, by snake_case name, as changes `of` this kind, a TypedDict: an absent one
    is absent or has its default, null is None.

    `names` are fields of type `strawberry.Maybe`, or fields that are never null and have a default."""
    found: dict[str, Any] = {}
    for name in names:
        value = getattr(given, name)
        if value is not None:
            found[name] = value.value if isinstance(value, Some) else value
    return cast("Changes", found)
