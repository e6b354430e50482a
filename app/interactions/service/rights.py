"""Which users can work on and see interactions assigned to them."""

from app.core.sight import Verb, reaches, writes_some
from app.directory.model import User
from app.interactions.model import Interaction


def works_on(user: User, kind: str) -> bool:
    """Whether the user may change interactions of the kind: active, with a permission to write all or a part of it."""
    return user.active and writes_some(None if user.is_admin else frozenset(user.permissions), kind)


def may_see(user: User, interaction: Interaction) -> bool:
    """Whether the user may see the interaction, if it is assigned to the user."""
    return _may(user, Verb.READ, interaction, user.id)


def may_work(user: User, interaction: Interaction) -> bool:
    """Whether the user may see and change the interaction, if it is assigned to the user."""
    return all(_may(user, verb, interaction, user.id) for verb in Verb)


def may_join(user: User, interaction: Interaction) -> bool:
    """Whether the user may see and change the interaction with its current assignee."""
    return all(_may(user, verb, interaction, interaction.assignee_id) for verb in Verb)


def _may(user: User, verb: Verb, interaction: Interaction, holder: int | None) -> bool:
    permissions = None if user.is_admin else frozenset(user.permissions)
    teams = frozenset(user.team_ids)
    return user.active and reaches(permissions, verb, user.id, teams, interaction.kind, interaction.team_id, holder)
