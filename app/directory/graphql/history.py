"""What all histories in the graph share, and the reasons of refusals."""

from enum import StrEnum

import strawberry

from app.directory.model.refusal import RefusalReason
from app.graph.enums import described
from app.graph.fields import Node
from app.graph.ordering import OrderDirection

described(
    RefusalReason,
    "The reason of a refusal.",
    {
        "KEY_REVOKED": "The API key is revoked.",
        "KEY_EXPIRED": "The API key has expired.",
        "USER_INACTIVE": "The user is not active.",
        "SESSIONS_ENDED": "The access token is from before the end of the user's sessions.",
        "FORBIDDEN": "The user may not do or read what it asked for: the answer was `FORBIDDEN`.",
    },
)


class HistoryOrderField(StrEnum):
    """What a history is sorted by."""

    AT = "AT"


described(HistoryOrderField, "The field that a history is sorted by.", {"AT": "The time of the entry."})


@strawberry.input(description="The order of a history. Of equal times, the order of the log decides.")
class HistoryOrder:
    direction: OrderDirection = strawberry.field(default=OrderDirection.DESC, description="The direction of the order.")
    field: HistoryOrderField = strawberry.field(description="The field that the entries are sorted by.")


NEWEST_ENTRIES = HistoryOrder(field=HistoryOrderField.AT)
"""The default order of a history."""


@strawberry.type(description="A field that changed. Texts are not kept: both values are then null.")
class FieldChange:
    field: str = strawberry.field(description="The name of the field.")
    before: str | None = strawberry.field(description="The value of the field before the change.")
    after: str | None = strawberry.field(description="The value of the field after the change.")
    before_node: Node | None = strawberry.field(
        description="The object whose id is `before`, such as a User or a ChatTopic, while it exists."
    )
    after_node: Node | None = strawberry.field(
        description="The object whose id is `after`, such as a User or a ChatTopic, while it exists."
    )
