"""Explains where permissions come from, for the command line."""

from app.directory.model.grant import Grant, grants_of, narrowed
from app.directory.repository import ApiKeyRepository, IdentityRepository
from app.directory.service.bootstrap import user_by_login
from app.directory.service.editing import found, number
from app.storage.work import Work


def explain_grants(work: Work, login: str, key: str | None = None) -> list[Grant]:
    """What the user with this login may do, or what this key of the user allows. Raises NotFound and InvalidInput."""
    user = user_by_login(work, login)
    since, issuers = dict(user.granted_at), work.settings.issuers
    if key is None:
        identities = work.use(IdentityRepository).list_of(user.id)
        return grants_of(user.roles, user.permissions, since, identities, issuers)
    known = work.use(ApiKeyRepository).get(number(key, "key"))
    own = found(known if known is not None and known.user_id == user.id else None, key)
    return narrowed(grants_of(user.roles, user.permissions, since, (), issuers), own.permissions)
