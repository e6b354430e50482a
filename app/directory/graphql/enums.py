"""The enums of the directory that the kinds fill."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import strawberry

if TYPE_CHECKING:

    class CustomerSystem(StrEnum):
        """The systems of customers: one for each kind."""

    class Permission(StrEnum):
        """What a user or a key may do; the list of kinds gives it its members."""


SystemName = Annotated["CustomerSystem", strawberry.lazy("app.registry")]
"""The enum of systems in an annotation: it is made above, where the kinds are listed."""

PermissionName = Annotated["Permission", strawberry.lazy("app.registry")]
"""The enum of permissions in an annotation, made where the kinds are listed."""
