"""Creates the first admin, and keys for the command line."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.core.actor import Actor
from app.core.errors import NotFound
from app.directory.events import UserCreated
from app.directory.model import ADMIN, ApiKey, User, digest_of, new_token, prefix_of
from app.directory.model.grant import since_when
from app.directory.model.pepper import PEPPER, SALT, fingerprint, peppers_of
from app.directory.repository import ApiKeyRepository, BootstrapKeyRepository, SecretRepository, UserRepository
from app.directory.service.editing import granted_at_once
from app.directory.service.keys import create_api_key, issue, revoke
from app.directory.service.peppers import settle_pepper
from app.storage.engines import ConfigurationError
from app.storage.work import Work

FIRST_ADMIN = "admin"
FIRST_KEY = "bootstrap"


def bootstrap(work: Work, key: str | None) -> tuple[User, str | None]:
    """The first admin, created when there is no active admin, with the secret of its key if that was just made.

    `key` is the setting `bootstrap_key`. It becomes a key of the admin, unless it already was one, whatever the pepper
    (a revoked key stays revoked). The bootstrap key that was set before is revoked. Without the setting, a random key
    is created with the admin. Raises ConfigurationError for a pepper that does not fit the database."""
    pepper = settle_pepper(work)
    admin, is_new = _admin(work)
    if key is None:
        if not is_new:
            return admin, None
        token = new_token()
        issue(work, _themself(admin), admin, FIRST_KEY, token)
        return admin, token
    keys = work.use(ApiKeyRepository)
    if (same := _known_before(work, key)) is not None:
        if same.pepper_id != pepper.id and same.revoked_at is None:
            keys.save(same, same.digested(key, pepper.secret, pepper.id))
        return admin, None
    for earlier in keys.list_of(admin.id):
        if earlier.name == FIRST_KEY:
            revoke(work, _themself(admin), earlier)
    _remember(work, key, issue(work, _themself(admin), admin, FIRST_KEY, key))
    return admin, key


def local_key(
    work: Work,
    login: str | None,
    name: str,
    *,
    permissions: Sequence[str] | None = None,
    expires_at: datetime | None = None,
) -> str:
    """The secret of a new key of the user with this login, or of an admin, for anyone who has access to the database.

    Raises NotFound, the errors of `create_api_key`, and ConfigurationError for a pepper that does not fit the
    database."""
    settle_pepper(work)
    user = _admin(work)[0] if login is None else user_by_login(work, login)
    _, secret = create_api_key(work, _themself(user), name, permissions=permissions, expires_at=expires_at)
    assert secret is not None  # there is always a secret when no idempotency key is given
    return secret


def user_by_login(work: Work, login: str) -> User:
    """The user with this login. Raises NotFound."""
    user = work.use(UserRepository).get_by_login(login)
    if user is None:
        raise NotFound(f"There is no user with the login {login}.")
    return user


def _admin(work: Work) -> tuple[User, bool]:
    """An active admin, the first one if it is active, and whether it was just created because there was none."""
    users = work.use(UserRepository)
    admins = users.lock_admins()
    named = users.get_by_login(FIRST_ADMIN)
    known = named if named is not None and named.id in admins else users.get(admins[0]) if admins else None
    return (known, False) if known is not None else (_first_admin(work, named), True)


def _themself(user: User) -> Actor:
    """The user as the actor at the command line, with all its permissions."""
    return Actor(
        user_id=user.id,
        name=user.name,
        permissions=frozenset(user.permissions),
        is_admin=user.is_admin,
        sessions_ended_at=user.sessions_ended_at,
    )


def _known_before(work: Work, key: str) -> ApiKey | None:
    """The API key that this bootstrap key already is, found by its fingerprint, or by a digest with an available
    pepper.

    Raises ConfigurationError for a key that was digested with a pepper that is not available."""
    keys = work.use(ApiKeyRepository)
    remembered = work.use(BootstrapKeyRepository).get(_fingerprint(work, key))
    if remembered is not None:
        return keys.get(remembered, for_update=True)
    stranger = None
    for pepper in _peppers(work):
        digest = digest_of(key, pepper)
        found = keys.get_by_prefix(prefix_of(key, digest))
        if found is not None and found.digest == digest:
            _remember(work, key, found)
            return found
        stranger = stranger or found
    if stranger is not None:
        raise ConfigurationError(
            "SWITCHBOARD_BOOTSTRAP_KEY is an API key of this database that was digested with another pepper. Set "
            "another key, or give that pepper in SWITCHBOARD_KEY_PEPPER_PREVIOUS."
        )
    return None


def _remember(work: Work, key: str, made: ApiKey) -> None:
    work.use(BootstrapKeyRepository).add(_fingerprint(work, key), made.id)


def _fingerprint(work: Work, key: str) -> str:
    return fingerprint(key, work.use(SecretRepository).get(SALT) or "")


def _peppers(work: Work) -> tuple[str, ...]:
    return peppers_of(work.settings, work.use(SecretRepository).get(PEPPER) or "")


def _first_admin(work: Work, named: User | None) -> User:
    users = work.use(UserRepository)
    # The login may be taken: a demoted or deactivated first admin still has it.
    login = FIRST_ADMIN if named is None else f"{FIRST_ADMIN}-{work.ids.uuid()}"
    new = User(id=0, name="Admin", login=login, roles=(ADMIN,), created_at=work.now, updated_at=work.now)
    admin = users.add(replace(new, granted_at=since_when(None, new.roles, (), work.now)))
    happened = UserCreated(user_id=admin.id)
    more = granted_at_once(admin)
    work.record(happened.record(assignee_id=admin.id, actor_id=admin.id, version=admin.version, more=more))
    return admin
