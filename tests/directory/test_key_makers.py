"""What a key hands down to the keys it makes, and what a narrowed key may do to its user."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import anyio
import pytest

from app.core.actor import Actor
from app.core.errors import Forbidden, InvalidTransition, NotFound, TooMany, Unauthenticated
from app.directory import service
from app.directory.authenticator import KeyAuthenticator
from app.directory.model import ApiKey, User
from app.directory.repository import ApiKeyRepository, UserRepository
from app.settings import Settings
from app.storage.database import Database, Work
from tests.conftest import START, ManualClock
from tests.directory.conftest import Ask, actor_of, told

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


class Keys:
    """Makes keys, and the actors that they let in."""

    def __init__(self, database: Database, authenticator: KeyAuthenticator) -> None:
        self.database = database
        self.authenticator = authenticator

    async def make(self, actor: Actor, **given: Any) -> tuple[ApiKey, Actor]:
        key, secret = await self.database.command(service.create_api_key, actor, "k", **given)
        return key, await self.let_in(secret)

    async def let_in(self, secret: str | None) -> Actor:
        actor = await self.authenticator.actor_of(str(secret))
        assert actor is not None
        return actor

    async def usable(self, *keys: ApiKey) -> list[bool]:
        def read(work: Work) -> list[bool]:
            found = [work.use(ApiKeyRepository).get(key.id) for key in keys]
            return [key is not None and key.is_usable(work.now) for key in found]

        return await self.database.command(read)


@pytest.fixture
def keys(database: Database, authenticator: KeyAuthenticator) -> Keys:
    return Keys(database, authenticator)


@pytest.fixture
async def tony(database: Database, admin: Actor) -> User:
    given: Any = {"name": "Tony", "login": "tony", "permissions": ["session:read", "session:write"]}
    return await database.command(service.create_user, admin, given)


@pytest.mark.parametrize("asked", [None, START + 2 * HOUR, START + timedelta(minutes=30)])
async def test_key_ends_with_its_maker_at_the_latest(keys: Keys, admin: Actor, asked: Any) -> None:
    parent, acting = await keys.make(admin, expires_at=START + HOUR)
    child, _ = await keys.make(acting, expires_at=asked)
    assert child.expires_at == min(asked or START + HOUR, START + HOUR)
    assert (child.made_by_id, parent.made_by_id) == (parent.id, admin.key_id)


async def test_key_for_another_user_ends_with_its_maker_at_the_latest(keys: Keys, admin: Actor, tony: User) -> None:
    _, acting = await keys.make(admin, expires_at=START + HOUR)
    child, _ = await keys.make(acting, user=f"usr_{tony.id}")
    assert (child.user_id, child.expires_at) == (tony.id, START + HOUR)


async def test_key_made_with_an_access_token_ends_with_the_token(
    keys: Keys, admin_secret: str, admin: Actor, authenticator: KeyAuthenticator
) -> None:
    issued = await authenticator.access_token(admin_secret.split("_")[1], admin_secret)
    assert issued is not None
    child, _ = await keys.make(await keys.let_in(issued.token))
    assert (child.expires_at, child.made_by_id) == (START + HOUR, admin.key_id)


async def test_access_token_is_no_secret_for_another(
    admin_secret: str, admin: Actor, authenticator: KeyAuthenticator, clock: ManualClock
) -> None:
    prefix = admin_secret.split("_")[1]
    issued = await authenticator.access_token(prefix, admin_secret)
    assert issued is not None
    clock.advance(3599)
    assert await authenticator.access_token(prefix, issued.token) is None


async def test_revocation_reaches_what_a_key_made_when_asked(
    keys: Keys, database: Database, admin: Actor, tony: User
) -> None:
    other, _ = await keys.make(admin)
    parent, acting = await keys.make(admin)
    child, of_child = await keys.make(acting)
    dead, of_dead = await keys.make(acting)
    grandchild, _ = await keys.make(of_child, user=f"usr_{tony.id}")
    of_the_dead, _ = await keys.make(of_dead)
    await database.command(service.revoke_api_key, admin, f"key_{dead.id}")
    await database.command(service.revoke_api_key, admin, f"key_{parent.id}")
    assert await keys.usable(parent, child, grandchild, of_the_dead, other) == [False, True, True, True, True]
    before = await told(database)
    await database.command(service.revoke_api_key, admin, f"key_{parent.id}", include_made=True)
    assert await keys.usable(parent, child, grandchild, of_the_dead, other) == [False, False, False, False, True]
    events = [event for event in await told(database) if event not in before]
    assert {(event.topic, event.data["api_key_id"], event.data["user_id"]) for event in events} == {
        ("api_key.revoked", child.id, 1),
        ("api_key.revoked", grandchild.id, tony.id),
        ("api_key.revoked", of_the_dead.id, 1),
    }


async def test_revoked_key_makes_none_while_it_is_remembered(keys: Keys, database: Database, admin: Actor) -> None:
    parent, acting = await keys.make(admin)
    await database.command(service.revoke_api_key, admin, f"key_{parent.id}")
    before = len(await told(database))
    with pytest.raises(Unauthenticated):
        await database.command(service.create_api_key, acting, "k")
    assert len(await told(database)) == before


async def test_revocation_leaves_no_key_made_at_the_same_time(keys: Keys, database: Database, admin: Actor) -> None:
    parent, acting = await keys.make(admin)

    async def make() -> None:
        with suppress(Unauthenticated):
            await database.command(service.create_api_key, acting, "k")

    async def revoke() -> None:
        await database.command(service.revoke_api_key, admin, f"key_{parent.id}", include_made=True)

    async with anyio.create_task_group() as group:
        for step in (make, make, make, revoke, make, make, make):
            group.start_soon(step)
    made = await database.command(lambda work: work.use(ApiKeyRepository).made_by(parent.id))
    assert made == []


async def test_revocation_of_made_keys_needs_the_right_to_each(
    keys: Keys, database: Database, admin: Actor, tony: User
) -> None:
    given: Any = {"name": "Mia", "login": "mia", "permissions": ["users:manage", "session:read"]}
    mia = await database.command(service.create_user, admin, given)
    parent, acting = await keys.make(admin, user=f"usr_{mia.id}")
    child, _ = await keys.make(acting, user=f"usr_{tony.id}")
    await database.command(service.update_user, admin, f"usr_{mia.id}", {"permissions": ["session:read"]})
    with pytest.raises(Forbidden):
        await database.command(
            service.revoke_api_key, actor_of(mia, "session:read"), f"key_{parent.id}", include_made=True
        )
    assert await keys.usable(parent, child) == [True, True]
    await database.command(service.revoke_api_key, admin, f"key_{parent.id}", include_made=True)
    assert await keys.usable(parent, child) == [False, False]


@pytest.mark.parametrize("permissions", [[], ["session:read"], ["session:write", "directory:write"]])
async def test_narrowed_key_manages_no_other_key(
    keys: Keys, database: Database, admin: Actor, tony: User, permissions: list[str]
) -> None:
    tonys = actor_of(tony)
    whole, _ = await keys.make(tonys)
    narrow, acting = await keys.make(admin, user=f"usr_{tony.id}", permissions=permissions)
    before = len(await told(database))
    for refused in (
        lambda: database.command(service.revoke_api_key, acting, f"key_{whole.id}"),
        lambda: database.command(service.create_api_key, acting, "k"),
        lambda: database.command(service.create_api_key, acting, "k", permissions=[]),
        lambda: database.command(service.update_user, acting, f"usr_{tony.id}", {"name": "T"}),
        lambda: database.command(service.deactivate_user, acting, f"usr_{tony.id}"),
    ):
        with pytest.raises(Forbidden):
            await refused()
    with pytest.raises(NotFound):
        await database.command(service.revoke_api_key, acting, f"key_{admin.key_id}")
    assert len(await told(database)) == before
    await database.command(service.revoke_api_key, acting, f"key_{narrow.id}")
    assert await keys.usable(whole, narrow) == [True, False]
    await database.command(service.revoke_api_key, tonys, f"key_{whole.id}")
    assert await keys.usable(whole) == [False]


async def test_narrowed_key_of_an_admin_revokes_no_whole_one(keys: Keys, database: Database, admin: Actor) -> None:
    _, acting = await keys.make(admin, permissions=["users:manage"])
    with pytest.raises(Forbidden, match="Only an admin"):
        await database.command(service.revoke_api_key, acting, f"key_{admin.key_id}")


async def test_presence_needs_a_permission_to_write_of_a_narrowed_key(
    keys: Keys, database: Database, admin: Actor, tony: User
) -> None:
    for permissions in ([], ["session:read"]):
        _, acting = await keys.make(admin, user=f"usr_{tony.id}", permissions=permissions)
        with pytest.raises(Forbidden):
            await database.command(service.set_presence, acting, True)
    for given in ({"permissions": ["session:write"]}, {"permissions": None}):
        _, acting = await keys.make(actor_of(tony), **given)
        assert (await database.command(service.set_presence, acting, True)).present
        assert not (await database.command(service.set_presence, acting, False)).present


async def test_keys_of_a_user_are_bounded(database: Database, admin: Actor, tony: User, clock: ManualClock) -> None:
    few = Settings(keys_per_user=3)

    def make(work: Work, number: int) -> ApiKey:
        work.settings = few
        ends = START + HOUR if number == 0 else None
        return service.create_api_key(work, admin, "k", user=f"usr_{tony.id}", expires_at=ends)[0]

    made = [await database.command(make, number) for number in range(3)]
    before = len(await told(database))
    with pytest.raises(TooMany) as refused:
        await database.command(make, 3)
    assert (refused.value.path, "3 valid keys" in refused.value.message) == (("user_id",), True)
    assert len(await told(database)) == before
    # One that was revoked or has expired makes room.
    clock.advance(3600)
    made.append(await database.command(make, 3))
    await database.command(service.revoke_api_key, admin, f"key_{made[1].id}")
    await database.command(make, 4)
    with pytest.raises(TooMany):
        await database.command(make, 5)


async def test_keys_of_a_user_are_bounded_when_made_at_once(database: Database, admin: Actor, tony: User) -> None:
    few = Settings(keys_per_user=2)
    made: list[ApiKey] = []

    def make(work: Work) -> ApiKey:
        work.settings = few
        return service.create_api_key(work, admin, "k", user=f"usr_{tony.id}")[0]

    async def attempt() -> None:
        try:
            made.append(await database.command(make))
        except TooMany:
            return

    async with anyio.create_task_group() as group:
        for _ in range(6):
            group.start_soon(attempt)
    assert len(made) == 2


async def test_inactive_maker_gives_nothing(keys: Keys, database: Database, admin: Actor, tony: User) -> None:
    _, acting = await keys.make(admin, user=f"usr_{tony.id}")
    await database.command(service.deactivate_user, admin, f"usr_{tony.id}")
    with pytest.raises(InvalidTransition):
        await database.command(service.create_api_key, acting, "k")
    stored = await database.command(lambda work: work.use(UserRepository).get(tony.id))
    assert stored is not None
    assert not stored.active


async def test_maker_of_a_key_is_shown_to_who_manages_users(keys: Keys, ask: Ask, admin: Actor, tony: User) -> None:
    child, acting = await keys.make(admin, user=f"usr_{tony.id}")
    query = "{ viewer { apiKeys { nodes { id madeBy { id } } } } }"
    assert (await ask(acting, query))["data"]["viewer"]["apiKeys"]["nodes"] == [
        {"id": f"key_{child.id}", "madeBy": None}
    ]
    query = f'{{ node(id: "key_{child.id}") {{ ... on ApiKey {{ madeBy {{ id }} }} }} }}'
    assert (await ask(admin, query))["data"]["node"] == {"madeBy": {"id": f"key_{admin.key_id}"}}


async def test_revocation_over_the_graph_reaches_what_a_key_made(keys: Keys, ask: Ask, admin: Actor) -> None:
    parent, acting = await keys.make(admin)
    child, _ = await keys.make(acting)
    query = "mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { apiKey { id } errors { code } } }"
    for include, left in ((False, True), (True, False)):
        answer = await ask(admin, query, input={"id": f"key_{parent.id}", "includeMade": include})
        assert answer["data"]["revokeApiKey"] == {"apiKey": {"id": f"key_{parent.id}"}, "errors": []}
        assert await keys.usable(parent, child) == [False, left]
