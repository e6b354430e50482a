"""Commands on profiles."""

from app.core.actor import Actor
from app.core.errors import InvalidInput, require_version
from app.directory.events import (
    CustomerUnlinked,
    ProfileBlocked,
    ProfileCreated,
    ProfileDeleted,
    ProfileUnblocked,
    ProfileUpdated,
)
from app.directory.model import Profile, ProfileChanges
from app.directory.model.checks import checked
from app.directory.model.profile import CHANGEABLE
from app.directory.service.editing import (
    Ref,
    created,
    customers_of,
    edit,
    found,
    number,
    profiles_of,
    tell,
)
from app.storage.work import Work

WRITE = "directory:write"


def create_profile(work: Work, actor: Actor, given: ProfileChanges, *, idempotency_key: str | None = None) -> Profile:
    """Create a profile, which needs a name of 1 to 255 characters.

    Other limits: e-mail address 254 characters, telephone number 31 digits, address and custom fields 1,000 characters.
    Raises Forbidden, InvalidInput, TooLong, KeyReused."""
    actor.require(WRITE)

    def make() -> Profile:
        values = checked(given, CHANGEABLE)
        if "name" not in values:
            raise InvalidInput("A profile needs a name.", path=("name",))
        stored = profiles_of(work).add(Profile(id=0, created_at=work.now, updated_at=work.now, **values))
        tell(work, actor, ProfileCreated(profile_id=stored.id), stored)
        return stored

    request = {"create": "profile", **given}
    return created(work, actor, idempotency_key, request, profiles_of(work).get, make)


def update_profile(
    work: Work, actor: Actor, ref: Ref, changes: ProfileChanges, *, if_version: int | None = None
) -> Profile:
    """Change a profile; limits as for `create_profile`.

    Raises Forbidden, NotFound, InvalidInput, TooLong, VersionConflict."""
    actor.require(WRITE)
    before = _profile(work, ref, if_version)
    return edit(
        work, actor, profiles_of(work), before, checked(changes, CHANGEABLE), ProfileUpdated(profile_id=before.id)
    )


def delete_profile(work: Work, actor: Actor, ref: Ref, *, if_version: int | None = None) -> Profile:
    """Erase a profile. Returns what it was. Its customers stay, without a profile.

    Raises Forbidden, NotFound, VersionConflict."""
    actor.require(WRITE)
    before = _profile(work, ref, if_version)
    customers = customers_of(work)
    for customer in customers.list_of_profile(before.id, for_update=True):
        edit(work, actor, customers, customer, {"profile_id": None}, CustomerUnlinked())
    profiles_of(work).remove(before.id)
    tell(work, actor, ProfileDeleted(profile_id=before.id), before)
    return before


def block_profile(work: Work, actor: Actor, ref: Ref, *, if_version: int | None = None) -> Profile:
    """Forbid sending anything to the person. Nothing happens when that is so already. Raises the errors of
    `update_profile`."""
    actor.require(WRITE)
    before = _profile(work, ref, if_version)
    return edit(work, actor, profiles_of(work), before, {"blocked": True}, ProfileBlocked(profile_id=before.id))


def unblock_profile(work: Work, actor: Actor, ref: Ref, *, if_version: int | None = None) -> Profile:
    """Allow sending to the person again. Nothing happens when that is so already. Raises the errors of
    `update_profile`."""
    actor.require(WRITE)
    before = _profile(work, ref, if_version)
    return edit(work, actor, profiles_of(work), before, {"blocked": False}, ProfileUnblocked(profile_id=before.id))


def _profile(work: Work, ref: Ref, if_version: int | None) -> Profile:
    profile = found(profiles_of(work).get(number(ref, "prf"), for_update=True), ref)
    require_version(profile.version, if_version)
    return profile
