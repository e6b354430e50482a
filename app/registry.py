"""Every kind of interaction. Adding one is a folder in app/kinds and a line here."""

from typing import TYPE_CHECKING

from app.core.actor import GENERAL_PERMISSIONS, kind_permissions

if TYPE_CHECKING:
    from app.interactions.kind import InteractionKind

KINDS: "tuple[InteractionKind, ...]" = ()

PERMISSIONS: tuple[str, ...] = (*kind_permissions(kind.rules.name for kind in KINDS), *GENERAL_PERMISSIONS)
"""All permissions there are; an admin has them all."""
