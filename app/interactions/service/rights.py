"""Which users can work on and see interactions assigned to them."""

from app.core.sight import sees
from app.directory.model import User
from app.interactions.model import Interaction


def may_work(user: User, kind: str) -> bool:
    """Whether the user may work on interactions of the kind: active, with the permission to write."""
    return user.active and (user.is_admin or f"{kind}:write" in user.permissions)


def may_see(user: User, interaction: Interaction) -> bool:
    """Whether the user may see the interaction, if it is assigned to the user."""
    permissions = None if user.is_admin else frozenset(user.permissions)
    teams = frozenset(user.team_ids)
    return user.active and sees(permissions, user.id, teams, interaction.kind, interaction.team_id, user.id)
