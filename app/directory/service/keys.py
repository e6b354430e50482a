"""Commands on API keys."""

from collections.abc import Sequence
from datetime import datetime

from app.core.actor import GENERAL_PERMISSIONS, Actor, kind_permissions
from app.core.errors import Forbidden, InvalidInput, InvalidTransition, NotFound, TooMany, Unauthenticated
from app.core.sight import common
from app.directory.events import ApiKeyCreated, ApiKeyRevoked
from app.directory.model import ApiKey, User, digest_of, new_token, prefix_of
from app.directory.model.checks import distinct, line, moment
from app.directory.model.key import earliest
from app.directory.model.user import MANAGE, require_known
from app.directory.repository import ApiKeyRepository, UserRepository
from app.directory.service.editing import Ref, created, found, number
from app.directory.service.peppers import pepper_in_use
from app.directory.service.sessions import require_unended
from app.storage.work import Work


def create_api_key(
    work: Work,
    actor: Actor,
    name: str,
    *,
    user: Ref | None = None,
    permissions: Sequence[str] | None = None,
    expires_at: datetime | None = None,
    idempotency_key: str | None = None,
) -> tuple[ApiKey, str | None]:
    """Create a key for the actor's own user, or with `users:manage` for any user. Returns it with its secret, which is
    never returned again.

    `permissions` (at most 64) narrows what the user may do. A key never allows more than its maker has. So a key that
    is made with a narrowed key, or for somebody else by anyone but an admin, is narrowed to what both hold when
    `permissions` is absent. It ends at `expires_at`, and at the latest with the actor's own credential. `name` has 1 to
    255 characters. A repeat under the same idempotency key returns the key without its secret. Raises Forbidden, also
    for a narrowed key without `users:manage`; Unauthenticated when the actor's key was revoked, or its sessions were
    ended, meanwhile; NotFound, InvalidInput, TooLong, TooMany, KeyReused; and InvalidTransition for an inactive
    user."""
    ref = f"usr_{actor.user_id}" if user is None else user
    user_id = number(ref, "usr", "user_id")
    if user_id != actor.user_id or actor.is_narrowed:
        actor.require(MANAGE)
    token = new_token()

    def make() -> ApiKey:
        _require_valid(work, actor)
        users = work.use(UserRepository)
        owner = found(users.get(user_id, for_update=True), ref, "user_id")
        require_unended(actor, owner if owner.id == actor.user_id else users.get(actor.user_id))
        if owner.is_admin and owner.id != actor.user_id and not actor.is_admin:
            raise Forbidden("Only an admin may make keys for an admin.", path=("user_id",))
        if not owner.active:
            raise InvalidTransition("The user is not active.", path=("user_id",))
        if expires_at is not None and moment(expires_at, ("expires_at",)) <= work.now:
            raise InvalidInput("A key must expire in the future.", path=("expires_at",))
        _require_room(work, owner)
        return issue(
            work,
            actor,
            owner,
            line(255, blank=False)(name, ("name",)),
            token,
            permissions=_narrowed(work, actor, owner, permissions),
            expires_at=earliest(expires_at, actor.expires_at),
        )

    request = {"create": "api_key", "user": user_id, "name": name, "permissions": permissions, "expires": expires_at}
    key = created(work, actor, idempotency_key, request, work.use(ApiKeyRepository).get, make)
    return key, token if prefix_of(token, "") == key.prefix else None


def revoke_api_key(work: Work, actor: Actor, ref: Ref, *, include_made: bool = False) -> ApiKey:
    """Revoke a key for good. With `include_made`, also revoke the keys that it made, and those that they made.

    Any key can revoke itself. A key that is not narrowed can revoke its user's other keys, one with `users:manage`
    those of anybody but an admin, and an admin's any. Nothing happens when the key is already revoked. Raises NotFound,
    also for a key of somebody else without that permission, and Forbidden."""
    keys = work.use(ApiKeyRepository)
    before = found(keys.get(number(ref, "key"), for_update=True), ref)
    if before.user_id != actor.user_id and not actor.can(MANAGE):
        raise NotFound(f"There is nothing with the id {ref}.", path=("id",))
    _require_revocable(work, actor, [before])
    after = revoke(work, actor, before)
    # Repeated until there are none: a key that waited for its maker's row to be unlocked is only seen by the next
    # query.
    while include_made and (made := keys.made_by(before.id)):
        _require_revocable(work, actor, made)
        revoke_all(work, actor, made)
    return after


def revoke_all(work: Work, actor: Actor, keys: Sequence[ApiKey]) -> None:
    """Revoke these keys, none of which is revoked yet. Asks for no permission."""
    work.use(ApiKeyRepository).revoke(keys, work.now)
    for key in keys:
        _tell(work, actor, ApiKeyRevoked(api_key_id=key.id, user_id=key.user_id))


def _require_room(work: Work, owner: User) -> None:
    """Raise TooMany when the user, whose row is locked, has as many valid keys as it may have."""
    most = work.settings.keys_per_user
    if work.use(ApiKeyRepository).count_usable(owner.id, work.now) >= most:
        raise TooMany(f"The user has {most} valid keys, which is the limit. Revoke one first.", path=("user_id",))


def _narrowed(work: Work, actor: Actor, owner: User, permissions: Sequence[str] | None) -> tuple[str, ...] | None:
    known = (*GENERAL_PERMISSIONS, *kind_permissions(work.kinds))
    if permissions is None:
        if actor.is_admin or (owner.id == actor.user_id and not actor.is_narrowed):
            return None
        held = frozenset(known) if owner.is_admin else frozenset(owner.permissions)
        return tuple(sorted(common(held, actor.permissions)))
    wanted: tuple[str, ...] = distinct(line(64, blank=False), 64)(permissions, ("permissions",))
    require_known(wanted, known)
    for place, permission in enumerate(wanted):
        if not actor.holds(permission):
            raise Forbidden(
                f"You can only grant permissions that you have yourself, and {permission} is not one of them.",
                path=("permissions", place),
            )
    return wanted


def _require_valid(work: Work, actor: Actor) -> None:
    """Lock the actor's key, so that its revocation includes what it makes now.

    Raises Unauthenticated when it is revoked or expired: an actor is remembered for a moment after that."""
    if actor.key_id is None:
        return
    acting = work.use(ApiKeyRepository).get(actor.key_id, for_update=True)
    if acting is None or not acting.is_usable(work.now):
        raise Unauthenticated("The key of this request is no longer valid.")


def _require_revocable(work: Work, actor: Actor, keys: Sequence[ApiKey]) -> None:
    of_others = [key for key in keys if key.id != actor.key_id]
    if not actor.is_narrowed:
        of_others = [key for key in of_others if key.user_id != actor.user_id]
    if not of_others or actor.is_admin:
        return
    actor.require(MANAGE)
    if work.use(UserRepository).any_admin({key.user_id for key in of_others}):
        raise Forbidden("Only an admin may revoke an admin's keys.", path=("id",))


def issue(
    work: Work,
    actor: Actor,
    owner: User,
    name: str,
    token: str,
    *,
    permissions: tuple[str, ...] | None = None,
    expires_at: datetime | None = None,
) -> ApiKey:
    """Store a key of the owner with this secret, and record the event. Asks for no permission."""
    pepper = pepper_in_use(work)
    digest = digest_of(token, pepper.secret)
    key = work.use(ApiKeyRepository).add(
        ApiKey(
            id=0,
            user_id=owner.id,
            name=name,
            prefix=prefix_of(token, digest),
            digest=digest,
            permissions=permissions,
            expires_at=expires_at,
            created_at=work.now,
            made_by_id=actor.key_id,
            pepper_id=pepper.id,
        )
    )
    _tell(work, actor, ApiKeyCreated(api_key_id=key.id, user_id=key.user_id))
    return key


def revoke(work: Work, actor: Actor, before: ApiKey) -> ApiKey:
    """Revoke the key, unless it is revoked already. Asks for no permission."""
    if before.revoked_at is not None:
        return before
    revoke_all(work, actor, [before])
    return before.revoked(work.now)


def _tell(work: Work, actor: Actor, happened: ApiKeyCreated | ApiKeyRevoked) -> None:
    work.record(happened.record(assignee_id=happened.user_id, actor_id=actor.user_id or None))
