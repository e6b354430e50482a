"""The input `CustomerTarget`, whose fields kinds declare."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, cast

import strawberry

from app.core.ids import require_id
from app.interactions.graphql.enums import KindName


class Target(NamedTuple):
    """A field of `CustomerTarget`: where a customer wrote to, as one kind has it.

    With a `prefix` it takes a global id and commands get its surrogate; without one they get the text."""

    name: str
    description: str
    prefix: str | None = None


@strawberry.input
class TargetBase:
    """What the input is made from: the fields that are the same for all kinds."""

    kind: KindName = strawberry.field(description="The kind of the interaction.")
    customer_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the customer; optional for an AgentSession."
    )

    targets: ClassVar[tuple[Target, ...]] = (Target("customer_id", "", "cus"),)


def customer_target(targets: Iterable[Target]) -> type[TargetBase]:
    """The input `CustomerTarget` with these fields beside those of all kinds."""
    own = tuple(targets)
    body: dict[str, Any] = {
        "__annotations__": {each.name: str | None if each.prefix is None else strawberry.ID | None for each in own},
        "targets": (*TargetBase.targets, *own),
        **{each.name: strawberry.field(default=None, description=each.description) for each in own},
    }
    return cast(
        "type[TargetBase]",
        strawberry.input(
            type("CustomerTarget", (TargetBase,), body),
            description="A customer, and where it wrote. The kind decides which of the other fields are required.",
        ),
    )


if TYPE_CHECKING:

    class CustomerTarget(TargetBase):
        """The input; the list of kinds gives it its fields."""


CustomerTargetInput = Annotated["CustomerTarget", strawberry.lazy("app.registry")]
"""The input in an annotation: it is made above, where the kinds are listed."""


def target_of(given: TargetBase) -> Mapping[str, Any]:
    """What commands take for it: `kind`, `customer_id` and what else was given. Raises InvalidInput, NotFound."""
    found: dict[str, Any] = {"kind": given.kind.value.lower(), "customer_id": None}
    for name, _, prefix in given.targets:
        text = getattr(given, name)
        if text is not None:
            found[name] = text if prefix is None else require_id(text, prefix, path=("target", "customer", name)).number
    return found
