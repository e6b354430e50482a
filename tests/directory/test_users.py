"""Who may make and change users, and what nobody may grant."""

from dataclasses import replace
from typing import Any

import anyio
import pytest

from app.core.actor import Actor
from app.core.errors import (
    AlreadyExists,
    DomainError,
    Forbidden,
    InvalidInput,
    InvalidTransition,
    KeyReused,
    NotFound,
    TooLong,
    VersionConflict,
)
from app.directory import service
from app.directory.model import User, UserType
from app.directory.repository import UserRepository
from app.storage.database import Database, Work
from tests.conftest import START, ManualClock
from tests.directory.conftest import actor_of, told

pytestmark = pytest.mark.anyio


async def make(database: Database, admin: Actor, login: str, *permissions: str, **given: Any) -> User:
    values = {"name": login.title(), "login": login, "permissions": list(permissions), **given}
    return await database.command(service.create_user, admin, values)  # type: ignore[arg-type]


async def stored(database: Database, number: int) -> User | None:
    def read(work: Work) -> User | None:
        return work.use(UserRepository).get(number)

    return await database.command(read)


async def test_a_user_is_made_with_all_its_fields(database: Database, admin: Actor) -> None:
    user = await make(
        database,
        admin,
        "tony",
        "session:read",
        "session:read",
        full_name="Tony Yates",
        email="tony@example.com",
        roles=["support"],
        person_id=7,
        type="EXTERNAL_ASSOCIATE",
        is_service=True,
    )
    assert user == User(
        id=2,
        name="Tony",
        login="tony",
        full_name="Tony Yates",
        email="tony@example.com",
        roles=("support",),
        permissions=("session:read",),
        person_id=7,
        type=UserType.EXTERNAL_ASSOCIATE,
        is_service=True,
        created_at=START,
        updated_at=START,
        granted_at=(("session:read", "2026-01-05T09:00:00.000000Z"),),
    )
    assert await stored(database, 2) == user
    event = (await told(database))[-1]
    granted = [("roles", "", "support"), ("permissions", "", "session:read")]
    changes = [{"field": field, "before": before, "after": after} for field, before, after in granted]
    data = {"user_id": 2, "changes": changes}
    assert (event.topic, event.data, event.actor_id, event.version) == ("user.created", data, 1, 1)


async def test_changes_are_told_with_grants_but_without_contact_details(
    database: Database, admin: Actor, clock: ManualClock
) -> None:
    user = await make(database, admin, "tony", "session:read", email="tony@example.com", full_name="T")
    clock.advance(1)
    changes = {"email": "new@example.com", "permissions": ["session:write"], "full_name": None, "name": "Tony"}
    changed = await database.command(service.update_user, admin, "usr_2", changes, if_version=1)  # type: ignore[arg-type]
    assert changed == replace(
        user,
        email="new@example.com",
        permissions=("session:write",),
        granted_at=(("session:write", "2026-01-05T09:00:01.000000Z"),),
        full_name=None,
        updated_at=clock.now,
        version=2,
    )
    event = (await told(database))[-1]
    assert (event.topic, event.version) == ("user.updated", 2)
    assert event.data == {
        "user_id": 2,
        "changes": [
            {"field": "fullName", "before": None, "after": None},
            {"field": "email", "before": None, "after": None},
            {"field": "permissions", "before": "session:read", "after": "session:write"},
        ],
    }
    before = len(await told(database))
    assert await database.command(service.update_user, admin, "usr_2", {}) == changed
    assert len(await told(database)) == before


@pytest.mark.parametrize(
    ("changes", "error", "path"),
    [
        ({"name": ""}, InvalidInput, ("name",)),
        ({"name": "  "}, InvalidInput, ("name",)),
        ({"name": "x" * 256}, TooLong, ("name",)),
        ({"name": "a\0"}, InvalidInput, ("name",)),
        ({"name": "a\ud800"}, InvalidInput, ("name",)),
        ({"name": "a\nb"}, InvalidInput, ("name",)),
        ({"login": "a b"}, InvalidInput, ("login",)),
        ({"login": "x" * 65}, TooLong, ("login",)),
        ({"login": "ADMIN"}, AlreadyExists, ("login",)),
        ({"email": "nowhere"}, InvalidInput, ("email",)),
        ({"email": f"{'x' * 251}@a.b"}, TooLong, ("email",)),
        ({"full_name": "x" * 256}, TooLong, ("full_name",)),
        ({"roles": ["ok", "Not Ok"]}, InvalidInput, ("roles", 1)),
        ({"roles": ["r"] * 33}, TooLong, ("roles",)),
        ({"permissions": ["session:read", "session:fly"]}, InvalidInput, ("permissions", 1)),
        ({"permissions": "session:read"}, InvalidInput, ("permissions",)),
        ({"person_id": 0}, InvalidInput, ("person_id",)),
        ({"person_id": 2**31}, InvalidInput, ("person_id",)),
        ({"type": "ROBOT"}, InvalidInput, ("type",)),
    ],
)
async def test_what_a_user_may_not_be(
    database: Database, admin: Actor, changes: dict[str, Any], error: type[DomainError], path: tuple[str | int, ...]
) -> None:
    user = await make(database, admin, "tony")
    before = len(await told(database))
    with pytest.raises(error) as refused:
        await database.command(service.update_user, admin, "usr_2", changes)  # type: ignore[arg-type]
    assert refused.value.path == path
    new: Any = {"name": "New", "login": "new", **changes}
    with pytest.raises(error):
        await database.command(service.create_user, admin, new)
    assert await stored(database, 2) == user
    assert await stored(database, 3) is None
    assert len(await told(database)) == before


@pytest.mark.parametrize("missing", ["name", "login"])
async def test_a_user_needs_a_name_and_a_login(database: Database, admin: Actor, missing: str) -> None:
    given = {"name": "Tony", "login": "tony"}
    del given[missing]
    with pytest.raises(InvalidInput) as refused:
        await database.command(service.create_user, admin, given)  # type: ignore[arg-type]
    assert refused.value.path == (missing,)


async def test_one_login_is_given_once_however_it_is_written(database: Database, admin: Actor) -> None:
    outcomes: list[object] = []

    async def create(login: str) -> None:
        try:
            outcomes.append((await make(database, admin, login)).id)
        except AlreadyExists as error:
            outcomes.append(error.path)

    async with anyio.create_task_group() as group:
        for login in ("tony", "TONY", "Tóny", "tony"):
            group.start_soon(create, login)
    assert sorted(map(str, outcomes)) == ["('login',)"] * 3 + [str(next(o for o in outcomes if isinstance(o, int)))]
    assert sum(event.topic == "user.created" for event in await told(database)) == 2


async def test_versions_conflict(database: Database, admin: Actor) -> None:
    await make(database, admin, "tony")
    with pytest.raises(VersionConflict) as refused:
        await database.command(service.update_user, admin, "usr_2", {"name": "T"}, if_version=2)
    assert (refused.value.current_version, refused.value.path) == (1, ("if_version",))
    with pytest.raises(NotFound):
        await database.command(service.update_user, admin, "usr_99", {"name": "T"})
    with pytest.raises(InvalidInput):
        await database.command(service.update_user, admin, "cus_2", {"name": "T"})


async def test_nobody_grants_what_it_does_not_hold(database: Database, admin: Actor) -> None:
    manager = actor_of(
        await make(database, admin, "manager", "users:manage", "session:read", roles=["support"]),
    )
    tony = await make(database, admin, "tony", "session:write", roles=["audit"])
    before = len(await told(database))
    attempts: list[tuple[dict[str, Any], tuple[str | int, ...]]] = [
        ({"permissions": ["session:read", "directory:read"]}, ("permissions", 1)),
        ({"roles": ["admin"]}, ("roles", 0)),
        ({"roles": ["support", "boss"]}, ("roles", 1)),
    ]
    for given, path in attempts:
        for ref in ("usr_2", "usr_3"):
            with pytest.raises(Forbidden) as refused:
                await database.command(service.update_user, manager, ref, given)  # type: ignore[arg-type]
            assert refused.value.path == path
        with pytest.raises(Forbidden):
            await make(database, manager, "new", **given)
    assert len(await told(database)) == before
    # What the user has already may stay, and may be taken away.
    wider = {"permissions": ["session:write", "session:read"], "roles": ["audit", "support"]}
    changed = await database.command(service.update_user, manager, f"usr_{tony.id}", wider)  # type: ignore[arg-type]
    assert (changed.permissions, changed.roles) == (("session:write", "session:read"), ("audit", "support"))
    changed = await database.command(service.update_user, manager, f"usr_{tony.id}", {"permissions": None})
    assert changed.permissions == ()


async def test_a_narrowed_key_of_an_admin_makes_no_admins(database: Database, admin: Actor) -> None:
    narrowed = Actor(user_id=1, name="Admin", permissions=frozenset({"users:manage"}), key_id=1)
    with pytest.raises(Forbidden):
        await make(database, narrowed, "boss", roles=["admin"])
    with pytest.raises(Forbidden):
        await make(database, narrowed, "boss", "session:read")
    with pytest.raises(Forbidden):
        await database.command(service.update_user, narrowed, "usr_1", {"name": "Me"})


async def test_only_admins_change_admins(database: Database, admin: Actor) -> None:
    manager = actor_of(await make(database, admin, "manager", "users:manage"))
    refused_changes: list[Any] = [{"active": False}, {"roles": []}, {"email": "mine@example.com"}]
    for changes in refused_changes:
        with pytest.raises(Forbidden) as refused:
            await database.command(service.update_user, manager, "usr_1", changes)
        assert refused.value.path == ("id",)
    nobody = actor_of(await make(database, admin, "nobody", "directory:write"))
    with pytest.raises(Forbidden):
        await make(database, nobody, "friend")
    with pytest.raises(Forbidden):
        await database.command(service.update_user, nobody, "usr_3", {"permissions": ["users:manage"]})


async def test_the_last_active_admin_stays(database: Database, admin: Actor) -> None:
    for changes in ({"active": False}, {"roles": ["support"]}, {"roles": None}):
        with pytest.raises(InvalidTransition):
            await database.command(service.update_user, admin, "usr_1", changes)  # type: ignore[arg-type]
    other = await make(database, admin, "other", roles=["admin"])
    await database.command(service.deactivate_user, admin, f"usr_{other.id}")
    with pytest.raises(InvalidTransition):
        await database.command(service.deactivate_user, admin, "usr_1")
    await database.command(service.activate_user, admin, f"usr_{other.id}")
    demoted = await database.command(service.update_user, admin, "usr_1", {"roles": []})
    assert not demoted.is_admin
    events = [(event.topic, event.data["user_id"]) for event in await told(database)]
    assert [topic for topic, user_id in events if user_id == other.id][-2:] == ["user.deactivated", "user.activated"]
    assert events.count(("user.updated", 1)) == 1


async def test_two_admins_cannot_remove_each_other_at_once(database: Database, admin: Actor) -> None:
    other = actor_of(await make(database, admin, "other", roles=["admin"]))
    outcomes: list[str] = []

    async def remove(actor: Actor, number: int) -> None:
        try:
            await database.command(service.deactivate_user, actor, f"usr_{number}")
            outcomes.append("removed")
        except InvalidTransition:
            outcomes.append("refused")

    async with anyio.create_task_group() as group:
        group.start_soon(remove, admin, other.user_id)
        group.start_soon(remove, other, admin.user_id)
    assert sorted(outcomes) == ["refused", "removed"]


async def test_presence_is_ones_own_and_no_edit(database: Database, admin: Actor, clock: ManualClock) -> None:
    tony = await make(database, admin, "tony")
    clock.advance(5)
    present = await database.command(service.set_presence, actor_of(tony), True)
    assert present == replace(tony, present=True, presence_changed_at=clock.now)
    assert await stored(database, 2) == present
    event = (await told(database))[-1]
    assert (event.topic, event.actor_id, event.data) == (
        "user.presence_changed",
        2,
        {"user_id": 2, "present": True, "changes": [{"field": "present", "before": "false", "after": "true"}]},
    )
    before = len(await told(database))
    clock.advance(5)
    assert await database.command(service.set_presence, actor_of(tony), True) == present
    with pytest.raises(Forbidden):
        await database.command(service.set_presence, actor_of(tony), False, user="usr_1")
    with pytest.raises(NotFound):
        await database.command(service.set_presence, admin, True, user="usr_99")
    assert len(await told(database)) == before
    assert not (await database.command(service.set_presence, admin, False, user="usr_2")).present
    await database.command(service.deactivate_user, admin, "usr_2")
    with pytest.raises(InvalidTransition):
        await database.command(service.set_presence, admin, True, user="usr_2")


async def test_a_user_is_made_once_under_one_key(database: Database, admin: Actor) -> None:
    given: Any = {"name": "Tony", "login": "tony"}
    first = await database.command(service.create_user, admin, given, idempotency_key="k")
    assert await database.command(service.create_user, admin, given, idempotency_key="k") == first
    with pytest.raises(KeyReused) as refused:
        await database.command(service.create_user, admin, given | {"login": "t"}, idempotency_key="k")
    assert refused.value.path == ("idempotency_key",)
    assert sum(event.topic == "user.created" for event in await told(database)) == 2
