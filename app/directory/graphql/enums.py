"""The enums of the directory whose values the kinds declare."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:

    class CustomerSystem(StrEnum):
        """The systems of customers: one for each kind."""

    class Permission(StrEnum):
        """What a user or a key may do. The list of kinds adds its values."""

    class EventTopic(StrEnum):
        """What happened; the list of kinds gives it its members."""


SystemName = Annotated["CustomerSystem", strawberry.lazy("app.registry")]
"""The enum of systems for annotations. It is created where the kinds are listed."""

PermissionName = Annotated["Permission", strawberry.lazy("app.registry")]
"""The enum of permissions for annotations. It is created where the kinds are listed."""

TopicName = Annotated["EventTopic", strawberry.lazy("app.registry")]
"""The enum of topics for annotations. It is created where the kinds are listed."""
