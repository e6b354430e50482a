"""Who gets in with which key, and that no secret is ever told."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import anyio
import pytest
import sqlalchemy as sa

from app.core.actor import Actor
from app.core.errors import Forbidden, InvalidInput, InvalidTransition, NotFound, TooLong
from app.directory import service
from app.directory.authenticator import KeyAuthenticator
from app.directory.model import ApiKey, User, new_token
from app.directory.repository import ApiKeyRepository, UserRepository
from app.storage.database import Database, Work
from app.storage.event_log import event_log
from tests.conftest import START, ManualClock
from tests.directory.conftest import PERMISSIONS, actor_of, told

pytestmark = pytest.mark.anyio


async def user_of(database: Database, admin: Actor, login: str, *permissions: str, **given: Any) -> User:
    values = {"name": login, "login": login, "permissions": list(permissions), **given}
    return await database.command(service.create_user, admin, values)  # type: ignore[arg-type]


def everything_stored(work: Work) -> str:
    """All that a copy of the database would show of keys and events."""
    tables = [sa.table(name) for name in ("api_key", "app_user", "idempotency_key")]
    found = [work.connection.execute(sa.text(f"SELECT * FROM {table.name}")).all() for table in tables]
    return repr([*found, work.connection.execute(sa.select(event_log)).all()])


async def test_the_first_start_makes_an_admin_whose_key_lets_it_in(
    database: Database, authenticator: KeyAuthenticator
) -> None:
    user, secret = await database.command(service.bootstrap, None)
    assert (user.id, user.login, user.roles, user.active) == (1, "admin", ("admin",), True)
    assert secret is not None
    assert await authenticator.actor_of(secret) == Actor(
        user_id=1, name="Admin", permissions=frozenset(PERMISSIONS), is_admin=True, key_id=1
    )
    assert [(event.topic, event.data, event.actor_id) for event in await told(database)] == [
        ("user.created", {"user_id": 1, "changes": [{"field": "roles", "before": "", "after": "admin"}]}, 1),
        ("api_key.created", {"api_key_id": 1, "user_id": 1}, 1),
    ]
    assert await database.command(service.bootstrap, None) == (user, None)
    assert len(await told(database)) == 2


async def test_two_first_starts_at_once_make_one_admin(database: Database) -> None:
    results: list[tuple[User, str | None]] = []

    async def start() -> None:
        results.append(await database.command(service.bootstrap, None))

    async with anyio.create_task_group() as group:
        for _ in range(4):
            group.start_soon(start)
    assert [user.id for user, _ in results] == [1] * 4
    assert sum(secret is not None for _, secret in results) == 1
    assert len(await told(database)) == 2


async def test_a_chosen_first_key_can_be_changed_and_is_made_once(
    database: Database, authenticator: KeyAuthenticator
) -> None:
    old, new = "a key of my own, 1", "a key of my own, 2"
    assert (await database.command(service.bootstrap, old))[1] == old
    assert (await database.command(service.bootstrap, old))[1] is None
    actor = await authenticator.actor_of(old)
    assert actor is not None
    assert actor.is_admin
    assert (await database.command(service.bootstrap, new))[1] == new
    assert await authenticator.actor_of(old) is None
    assert await authenticator.actor_of(new) == replace(actor, key_id=2)
    await database.command(service.revoke_api_key, actor, "key_2")
    assert (await database.command(service.bootstrap, new))[1] is None
    assert await authenticator.actor_of(new) is None


async def test_who_lost_all_keys_makes_another(database: Database, authenticator: KeyAuthenticator) -> None:
    first = await database.command(service.local_key, None, "first")
    second = await database.command(service.local_key, None, "second")
    assert first != second
    for key in (first, second):
        actor = await authenticator.actor_of(key)
        assert actor is not None
        assert (actor.user_id, actor.is_admin) == (1, True)


async def test_no_other_text_lets_anyone_in(authenticator: KeyAuthenticator, admin_secret: str) -> None:
    wrong = admin_secret[:-1] + ("A" if admin_secret[-1] != "A" else "B")
    for text in (wrong, new_token(), "", "swk_", admin_secret[:12], admin_secret + "x", "\ud800", "\0", "~" * 300):
        assert await authenticator.actor_of(text) is None


async def test_before_the_first_start_nobody_gets_in(authenticator: KeyAuthenticator, database: Database) -> None:
    assert await authenticator.actor_of(new_token()) is None
    _, secret = await database.command(service.bootstrap, None)
    assert await authenticator.actor_of(str(secret)) is not None


async def test_a_secret_is_given_once_and_stored_nowhere(database: Database, admin: Actor) -> None:
    key, secret = await database.command(service.create_api_key, admin, "ci", idempotency_key="k")
    assert secret is not None
    assert secret.startswith(f"swk_{key.prefix}_")
    assert len(secret) == 4 + 8 + 1 + 43
    again = await database.command(service.create_api_key, admin, "ci", idempotency_key="k")
    assert again == (key, None)
    assert secret not in repr(key)
    assert key.digest not in repr(key)
    stored = await database.command(everything_stored)
    assert secret not in stored
    assert secret.split("_", 2)[2] not in stored


async def test_keys_expire_and_are_revoked(
    database: Database, admin: Actor, authenticator: KeyAuthenticator, clock: ManualClock
) -> None:
    _, brief = await database.command(service.create_api_key, admin, "brief", expires_at=START + timedelta(seconds=60))
    key, other = await database.command(service.create_api_key, admin, "other")
    assert brief is not None
    assert other is not None
    clock.advance(59)
    assert await authenticator.actor_of(brief) is not None
    clock.advance(1)
    assert await authenticator.actor_of(brief) is None
    before = len(await told(database))
    revoked = await database.command(service.revoke_api_key, admin, f"key_{key.id}")
    assert revoked == replace(key, revoked_at=clock.now)
    assert await authenticator.actor_of(other) is None
    clock.advance(5)
    assert await database.command(service.revoke_api_key, admin, f"key_{key.id}") == revoked
    assert [event.topic for event in await told(database)][before:] == ["api_key.revoked"]


async def test_an_inactive_users_keys_let_nobody_in(
    database: Database, admin: Actor, authenticator: KeyAuthenticator
) -> None:
    user = await user_of(database, admin, "tony", "session:read")
    _, secret = await database.command(service.create_api_key, admin, "k", user=f"usr_{user.id}")
    assert secret is not None
    assert await authenticator.actor_of(secret) == Actor(
        user_id=user.id, name="tony", permissions=frozenset({"session:read"}), key_id=2
    )
    await database.command(service.deactivate_user, admin, f"usr_{user.id}")
    assert await authenticator.actor_of(secret) is None
    with pytest.raises(InvalidTransition):
        await database.command(service.create_api_key, admin, "k", user=f"usr_{user.id}")
    await database.command(service.activate_user, admin, f"usr_{user.id}")
    assert await authenticator.actor_of(secret) is not None


async def test_a_narrowed_key_allows_what_both_allow(
    database: Database, admin: Actor, authenticator: KeyAuthenticator
) -> None:
    user = await user_of(database, admin, "tony", "session:read", "session:write")
    ref = f"usr_{user.id}"
    _, narrowed = await database.command(
        service.create_api_key, admin, "k", user=ref, permissions=["session:read", "directory:read"]
    )
    _, own = await database.command(service.create_api_key, admin, "k", permissions=["session:read", "users:manage"])
    tony = await authenticator.actor_of(str(narrowed))
    assert tony is not None
    assert tony.permissions == {"session:read"}
    half_admin = await authenticator.actor_of(str(own))
    assert half_admin is not None
    assert not half_admin.is_admin
    assert half_admin.permissions == {"session:read", "users:manage"}
    # What a narrowed key makes is at most as wide.
    key, _ = await database.command(service.create_api_key, half_admin, "child")
    assert key.permissions == ("session:read", "users:manage")
    with pytest.raises(Forbidden) as refused:
        await database.command(service.create_api_key, half_admin, "child", permissions=["directory:read"])
    assert refused.value.path == ("permissions", 0)


async def test_a_manager_makes_keys_for_others_no_wider_than_its_own(database: Database, admin: Actor) -> None:
    manager = actor_of(await user_of(database, admin, "manager", "users:manage", "session:read"))
    tony = await user_of(database, admin, "tony", "session:read", "session:write")
    key, _ = await database.command(service.create_api_key, manager, "k", user=f"usr_{tony.id}")
    assert (key.user_id, key.permissions) == (tony.id, ("session:read",))
    own, _ = await database.command(service.create_api_key, manager, "k")
    assert (own.user_id, own.permissions) == (manager.user_id, None)
    before = len(await told(database))
    with pytest.raises(Forbidden):
        await database.command(service.create_api_key, manager, "k", user="usr_1")
    with pytest.raises(Forbidden):
        await database.command(service.revoke_api_key, manager, "key_1")
    with pytest.raises(Forbidden):
        await database.command(service.create_api_key, actor_of(tony), "k", user=f"usr_{manager.user_id}")
    with pytest.raises(NotFound):
        await database.command(service.revoke_api_key, actor_of(tony), f"key_{own.id}")
    assert (await database.command(service.revoke_api_key, actor_of(tony), f"key_{key.id}")).revoked_at == START
    assert (await database.command(service.revoke_api_key, manager, f"key_{own.id}")).revoked_at == START
    assert len(await told(database)) == before + 2


@pytest.mark.parametrize(
    ("given", "error", "path"),
    [
        ({"name": ""}, InvalidInput, ("name",)),
        ({"name": "x" * 256}, TooLong, ("name",)),
        ({"expires_at": START}, InvalidInput, ("expires_at",)),
        ({"permissions": ["session:read", "session:fly"]}, InvalidInput, ("permissions", 1)),
        ({"user": "usr_99"}, NotFound, ("user_id",)),
        ({"user": "cus_1"}, InvalidInput, ("user_id",)),
        ({"user": "nobody"}, NotFound, ("user_id",)),
    ],
)
async def test_what_a_key_may_not_be(
    database: Database, admin: Actor, given: dict[str, Any], error: type[Exception], path: tuple[str | int, ...]
) -> None:
    before = len(await told(database))
    with pytest.raises(error) as refused:
        await database.command(service.create_api_key, admin, **({"name": "k"} | given))
    assert refused.value.path == path  # type: ignore[attr-defined]
    assert len(await told(database)) == before

    def keys(work: Work) -> list[ApiKey]:
        return list(work.use(ApiKeyRepository).list_of(1))

    assert [key.id for key in await database.command(keys)] == [1]


async def test_authenticating_reads_once_and_writes_nothing(
    database: Database, admin_secret: str, authenticator: KeyAuthenticator, clock: ManualClock
) -> None:
    await authenticator.actor_of(admin_secret)

    def stored(work: Work) -> tuple[ApiKey | None, User | None]:
        return work.use(ApiKeyRepository).get(1), work.use(UserRepository).get(1)

    before = await database.command(stored)
    clock.advance(10)
    await authenticator.actor_of(admin_secret)
    assert await database.command(stored) == before


async def test_an_access_token_stands_for_its_key_until_it_ends(
    database: Database, authenticator: KeyAuthenticator, clock: ManualClock
) -> None:
    _, secret = await database.command(service.bootstrap, None)
    assert secret is not None
    prefix = secret.split("_")[1]
    actor = await authenticator.actor_of(secret)
    assert actor is not None
    for given in (secret, secret.removeprefix(f"swk_{prefix}_")):
        issued = await authenticator.access_token(prefix, given)
        assert issued is not None
        assert issued.expires_in == 3600
        assert secret.removeprefix(f"swk_{prefix}_") not in issued.token
        assert await authenticator.actor_of(issued.token) == actor
    assert issued is not None
    clock.advance(3599)
    found = await authenticator.actor_of(issued.token)
    assert found is not None
    assert found == actor
    # The actor knows its end, so that what it listens to ends then too; the key itself has none.
    assert (found.expires_at, actor.expires_at) == (START + timedelta(hours=1), None)
    clock.advance(1)
    assert await authenticator.actor_of(issued.token) is None


async def test_an_access_token_cannot_be_made_or_stretched(database: Database, authenticator: KeyAuthenticator) -> None:
    _, secret = await database.command(service.bootstrap, None)
    assert secret is not None
    prefix = secret.split("_")[1]
    for client_id, client_secret in (
        ("", ""),
        (prefix, ""),
        ("", secret),
        ("aaaaaaaa", secret),
        (prefix, secret[:-1]),
        ("aaaaaaaa", secret.removeprefix(f"swk_{prefix}_")),
    ):
        assert await authenticator.access_token(client_id, client_secret) is None
    issued = await authenticator.access_token(prefix, secret)
    assert issued is not None
    head, name, ends, seal = issued.token.split("_")
    for forged in (
        f"{head}_{name}_{int(ends) + 1}_{seal}",
        f"{head}_aaaaaaaa_{ends}_{seal}",
        f"{head}_{name}_{ends}_{seal[:-1]}0" if seal[-1] != "0" else f"{head}_{name}_{ends}_{seal[:-1]}1",
        f"{head}_{name}_{'9' * 11}_{seal}",
    ):
        assert await authenticator.actor_of(forged) is None


async def test_an_access_token_ends_with_its_key(
    database: Database, authenticator: KeyAuthenticator, admin: Actor
) -> None:
    key, secret = await database.command(
        service.create_api_key, admin, "short", expires_at=START + timedelta(minutes=10)
    )
    assert secret is not None
    issued = await authenticator.access_token(key.prefix, secret)
    assert issued is not None
    assert issued.expires_in == 600
    found = await authenticator.actor_of(issued.token)
    assert found is not None
    assert found.expires_at == START + timedelta(minutes=10)
    await database.command(service.revoke_api_key, admin, f"key_{key.id}")
    assert await authenticator.actor_of(issued.token) is None
    assert await authenticator.access_token(key.prefix, secret) is None


async def test_a_chosen_key_has_access_tokens_too(database: Database, authenticator: KeyAuthenticator) -> None:
    await database.command(service.bootstrap, "a key of my own, 1")
    found = (await database.command(lambda work: work.use(ApiKeyRepository).list_of(1)))[0]
    issued = await authenticator.access_token(found.prefix, "a key of my own, 1")
    assert issued is not None
    assert await authenticator.actor_of(issued.token) == await authenticator.actor_of("a key of my own, 1")
