"""Commands on users."""

from collections.abc import Mapping
from dataclasses import replace

from app.core.actor import GENERAL_PERMISSIONS, Actor, kind_permissions
from app.core.errors import AlreadyExists, Forbidden, InvalidInput, InvalidTransition, require_version
from app.directory.events import PresenceChanged, UserActivated, UserCreated, UserDeactivated, UserUpdated
from app.directory.model import ADMIN, User, UserChanges
from app.directory.model.checks import checked
from app.directory.model.grant import since_when
from app.directory.model.user import CHANGEABLE, MANAGE, require_grantable, require_known
from app.directory.repository import UserRepository
from app.directory.service.editing import (
    Ref,
    changed_fields,
    created,
    edit,
    follow,
    found,
    granted_at_once,
    lock_interactions,
    number,
    tell,
)
from app.storage.work import Work


def create_user(work: Work, actor: Actor, given: UserChanges, *, idempotency_key: str | None = None) -> User:
    """Create a user, which needs a name (1 to 255 characters) and a login (1 to 64, without spaces, of no other user).

    Other limits: full name 255 characters, e-mail address 254, 32 roles, 64 permissions. Raises Forbidden, also for a
    role or permission that the actor does not hold, InvalidInput, TooLong, AlreadyExists, KeyReused."""
    actor.require(MANAGE)

    def make() -> User:
        values = checked(given, CHANGEABLE)
        for name in ("name", "login"):
            if name not in values:
                raise InvalidInput(f"A user needs a {name}.", path=(name,))
        _require_grantable(work, actor, values, None)
        users = work.use(UserRepository)
        since = since_when(None, values.get("roles", ()), values.get("permissions", ()), work.now)
        user = User(id=0, created_at=work.now, updated_at=work.now, granted_at=since, **values)
        _require_free(work, user)
        stored = users.add(user)
        tell(work, actor, UserCreated(user_id=stored.id), stored, granted_at_once(stored))
        return stored

    request = {"create": "user", **given}
    return created(work, actor, idempotency_key, request, work.use(UserRepository).get, make)


def update_user(work: Work, actor: Actor, ref: Ref, changes: UserChanges, *, if_version: int | None = None) -> User:
    """Change a user; limits as for `create_user`. Only an admin can change an admin.

    Raises Forbidden, also for a new role or permission that the actor does not hold, NotFound, InvalidInput, TooLong,
    VersionConflict, AlreadyExists, and InvalidTransition when no active admin would remain."""
    actor.require(MANAGE)
    users, user_id = work.use(UserRepository), number(ref, "usr")
    if changes.keys() & {"roles", "permissions", "active"}:
        lock_interactions(work, [user_id])
    # Before the user itself, and all in one order, so that two changes of admins wait for each other.
    admins = users.lock_admins() if changes.keys() & {"roles", "active"} else ()
    before = found(users.get(user_id, for_update=True), ref)
    if before.is_admin and not actor.is_admin:
        raise Forbidden("Only an admin may change an admin.", path=("id",))
    require_version(before.version, if_version)
    values = checked(changes, CHANGEABLE)
    _require_grantable(work, actor, values, before)
    if values.get("email", before.email) != before.email:
        _require_all_of(work, actor, before)
    stays = values.get("active", before.active) and ADMIN in values.get("roles", before.roles)
    if before.id in admins and not stays and len(admins) == 1:
        raise InvalidTransition("This is the last active admin. Make another user an admin first.")
    if "login" in values:
        _require_free(
            work, User(id=before.id, name="", login=values["login"], created_at=work.now, updated_at=work.now)
        )
    roles, held = values.get("roles", before.roles), values.get("permissions", before.permissions)
    values["granted_at"] = since_when(before, roles, held, work.now)
    happened: type[UserUpdated | UserActivated | UserDeactivated] = UserUpdated
    if values.get("active", before.active) != before.active:
        happened = UserActivated if values["active"] else UserDeactivated
    after = edit(work, actor, users, before, values, happened(user_id=before.id))
    if after.present and not after.active:
        after = _with_presence(work, actor, after, present=False)
    follow(work, actor, before, after)
    return after


def deactivate_user(work: Work, actor: Actor, ref: Ref, *, if_version: int | None = None) -> User:
    """Refuse the user's keys from now on. Its presence ends, and what it holds is released.

    Raises the errors of `update_user`."""
    return update_user(work, actor, ref, {"active": False}, if_version=if_version)


def activate_user(work: Work, actor: Actor, ref: Ref, *, if_version: int | None = None) -> User:
    """Accept the user's keys again. Raises the errors of `update_user`."""
    return update_user(work, actor, ref, {"active": True}, if_version=if_version)


def set_presence(work: Work, actor: Actor, present: bool, *, user: Ref | None = None) -> User:
    """Set whether chats may be offered to the user: the actor itself, or with `users:manage` any user.

    A narrowed key needs a permission to write something, even for its own user. Raises Forbidden, NotFound, and
    InvalidTransition when an inactive user would become present."""
    ref = f"usr_{actor.user_id}" if user is None else user
    user_id = number(ref, "usr", "user_id")
    if user_id != actor.user_id:
        actor.require(MANAGE)
    elif actor.is_narrowed and not any(held == MANAGE or ":write" in held for held in actor.permissions):
        raise Forbidden("This needs a key with a permission to write.")
    lock_interactions(work, [user_id])
    users = work.use(UserRepository)
    before = found(users.get(user_id, for_update=True), ref, "user_id")
    if present and not before.active:
        raise InvalidTransition("The user is not active.", path=("user_id",))
    if before.present == present:
        return before
    after = _with_presence(work, actor, before, present=present)
    follow(work, actor, before, after)
    return after


def _with_presence(work: Work, actor: Actor, before: User, *, present: bool) -> User:
    after = work.use(UserRepository).set_presence(before, present=present, at=work.now)
    changes = list(changed_fields(before, replace(before, present=present)))
    tell(work, actor, PresenceChanged(user_id=after.id, present=present), after, {"changes": changes})
    return after


def _require_grantable(work: Work, actor: Actor, values: Mapping[str, tuple[str, ...]], held: User | None) -> None:
    known = (*GENERAL_PERMISSIONS, *kind_permissions(work.kinds))
    require_known(values.get("permissions", ()), known)
    own = None if actor.is_admin else work.use(UserRepository).get(actor.user_id)
    require_grantable(actor, () if own is None else own.roles, values, held)


def _require_all_of(work: Work, actor: Actor, user: User) -> None:
    """Raise Forbidden unless the actor holds all permissions of the user: whoever has its e-mail address may sign in as
    it."""
    if actor.is_admin or not any(each.link_by_email for each in work.settings.issuers):
        return
    own = work.use(UserRepository).get(actor.user_id)
    roles = frozenset(() if own is None else own.roles)
    if not (actor.permissions >= frozenset(user.permissions) and roles >= frozenset(user.roles)):
        message = "People sign in by this address, so changing it needs all permissions of the user."
        raise Forbidden(message, path=("email",))


def _require_free(work: Work, user: User) -> None:
    other = work.use(UserRepository).get_by_login(user.login)
    if other is not None and other.id != user.id:
        raise AlreadyExists(f"There already is a user with the login {other.login}.", path=("login",))
