"""Which users can work on an interaction, in SQL."""

from typing import Any

import sqlalchemy as sa

from app.directory.model import ADMIN
from app.directory.tables import app_user
from app.selection.mapping import Scope, Sql


def is_admin(user: Any) -> Sql:
    """That a row of `app_user` has the role that implies every permission."""
    return sa.cast(user.roles, sa.Text).like(f'%"{ADMIN}"%')


def can(user: Any, kind: Sql, verb: str) -> Sql:
    """That a row of `app_user` is an active user who may do this with interactions of the kind."""
    permissions = sa.cast(user.permissions, sa.Text)
    # Names of kinds are letters and `_`, so text is enough to go by.
    wanted = sa.literal_column("'%\"'", sa.Text) + kind + sa.literal_column(f"':{verb}\"%'", sa.Text)
    return sa.and_(user.active, sa.or_(is_admin(user), permissions.like(wanted)))


def lost_holder_id(scope: Scope) -> Sql:
    """The assignee, if that user is not active or may not see the interaction; null otherwise."""
    lost = sa.not_(can(app_user.c, scope.c.kind, "read"))
    found = sa.select(app_user.c.id).where(app_user.c.id == scope.c.assignee_id, lost)
    return found.correlate(scope.c.assignee_id.table).scalar_subquery()
