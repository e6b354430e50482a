"""Which users can work on an interaction, in SQL."""

from typing import Any

import sqlalchemy as sa

from app.core.sight import Verb
from app.directory.model import ADMIN
from app.directory.tables import app_user, team_member
from app.selection.mapping import Scope, Sql


def is_admin(user: Any) -> Sql:
    """That a row of `app_user` has the role that implies every permission."""
    return sa.cast(user.roles, sa.Text).like(f'%"{ADMIN}"%')


def _may(user: Any, kind: Sql, verb: str) -> Sql:
    permissions = sa.cast(user.permissions, sa.Text)
    # Names of kinds are letters and `_`, so text is enough to go by.
    wanted = sa.literal_column("'%\"'", sa.Text) + kind + sa.literal_column(f"':{verb}\"%'", sa.Text)
    return permissions.like(wanted)


def _of_kind(kind: str) -> Sql:
    return sa.literal_column(f"'{kind}'", sa.Text)


def works_on(user: Any, kind: str) -> Sql:
    """That a row of `app_user` is an active user who may change interactions of the kind, all or a part of them."""
    forms = [_may(user, _of_kind(kind), form) for form in ("write", "write:team", "write:own")]
    return sa.and_(user.active, sa.or_(is_admin(user), *forms))


def _could(user: Any, of: Any, verb: Verb) -> Sql:
    membership = team_member.alias("membership")
    is_member = (
        sa.exists()
        .select_from(membership)
        .where(membership.c.team_id == of.team_id, membership.c.user_id == user.id)
        .correlate_except(membership)
    )
    of_team = sa.or_(of.team_id == sa.literal_column("0", sa.BigInteger), is_member)
    part = sa.or_(_may(user, of.kind, f"{verb}:own"), sa.and_(_may(user, of.kind, f"{verb}:team"), of_team))
    return sa.and_(user.active, sa.or_(is_admin(user), _may(user, of.kind, verb), part))


def could_see(user: Any, of: Any) -> Sql:
    """That a row of `app_user` is an active user who may see a row of `interaction`, if it is assigned to them."""
    return _could(user, of, Verb.READ)


def could_write(user: Any, of: Any) -> Sql:
    """That a row of `app_user` is an active user who may change a row of `interaction`, if it is assigned to them."""
    return _could(user, of, Verb.WRITE)


def lost_holder_id(scope: Scope) -> Sql:
    """The assignee, if that user is not active or may not see the interaction; null otherwise."""
    lost = sa.not_(could_see(app_user.c, scope.c))
    found = sa.select(app_user.c.id).where(app_user.c.id == scope.c.assignee_id, lost)
    return found.correlate(scope.c.assignee_id.table).scalar_subquery()
