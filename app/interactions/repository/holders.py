"""Whether the user who holds an interaction can still work on it, in SQL."""

import sqlalchemy as sa

from app.directory.model import ADMIN
from app.directory.tables import app_user
from app.selection.mapping import Scope, Sql


def can_read(kind: Sql) -> sa.ColumnElement[bool]:
    """That a row of `app_user` is an active user who may see interactions of the kind."""
    permissions = sa.cast(app_user.c.permissions, sa.Text)
    is_admin = sa.cast(app_user.c.roles, sa.Text).like(f'%"{ADMIN}"%')
    # Names of kinds are letters and `_`, so text is enough to go by.
    granted = permissions.like(sa.literal_column("'%\"'", sa.Text) + kind + sa.literal_column("':read\"%'", sa.Text))
    return sa.and_(app_user.c.active, sa.or_(is_admin, granted))


def lost_holder_id(scope: Scope) -> Sql:
    """The assignee, if that user is not active or may not see the interaction; null otherwise."""
    found = sa.select(app_user.c.id).where(app_user.c.id == scope.c.assignee_id, sa.not_(can_read(scope.c.kind)))
    return found.correlate(scope.c.assignee_id.table).scalar_subquery()
