"""From a mutation's input to the changes that services take."""

from typing import Any

from strawberry import Some


def changes(given: object, *names: str) -> dict[str, Any]:
    """The fields of an input that were given, by snake_case name: an absent one is absent, null is None.

    `names` are fields of type `strawberry.Maybe`."""
    return {name: found.value for name in names if isinstance(found := getattr(given, name), Some)}
