"""Where permissions come from, and what is noted of sign-ins."""

from datetime import datetime, timedelta
from typing import Any

import anyio
import pytest

from app.core.actor import SYSTEM, Actor
from app.core.errors import InvalidInput, NotFound, Unavailable
from app.directory import service
from app.directory.authenticator import KeyAuthenticator
from app.directory.model import UserChanges
from app.directory.model.grant import Grant
from app.directory.people import PersonAuthenticator
from app.directory.repository import IdentityRepository
from app.settings import Settings
from app.storage.database import Database, Work
from tests.conftest import START, ManualClock
from tests.directory.conftest import PERMISSIONS, Ask, actor_of, told
from tests.directory.test_people import LOGIN, TOKEN, Said, add, issuer_of

pytestmark = pytest.mark.anyio

LEADS = {"leads": {"permissions": ["session:read", "directory:read"]}, "platform": {"admin": True}}


@pytest.fixture
def settings() -> Settings:
    return Settings(issuers=(issuer_of(groups=LEADS),))


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def people(
    said: Said, authenticator: KeyAuthenticator, database: Database, clock: ManualClock, admin: Actor
) -> PersonAuthenticator:
    assert admin.is_admin
    return PersonAuthenticator(said, authenticator, database, clock, PERMISSIONS)  # type: ignore[arg-type]


def minutes(count: float) -> datetime:
    return START + timedelta(minutes=count)


async def explained(database: Database, login: str, key: str | None = None) -> list[tuple[Any, ...]]:
    """Permission, source with what it is narrowed from or the group, since when, until when."""

    def line(each: Grant) -> tuple[Any, ...]:
        return each.permission, each.source.value, each.narrowed_from or each.group, each.since, each.ends_at

    return [line(each) for each in await database.command(service.explain_grants, login, key)]


async def test_grant_of_a_user_says_since_when_it_is_held(database: Database, clock: ManualClock, admin: Actor) -> None:
    assert admin.is_admin  # without another one, nobody could take the role away
    bo = await add(database, "bo", permissions=["session:read", "users:manage"])
    clock.advance(60)
    change: UserChanges = {"permissions": ["session:read", "directory:read"], "roles": ["admin", "other"]}
    await database.command(service.update_user, SYSTEM, f"usr_{bo.id}", change)
    clock.advance(60)
    # Neither an edit of something else nor the same once more begins anything anew.
    await database.command(service.update_user, SYSTEM, f"usr_{bo.id}", {"name": "Bob", **change})
    assert await explained(database, "bo") == [
        (None, "ROLE", None, minutes(1), None),
        ("directory:read", "USER", None, minutes(1), None),
        ("session:read", "USER", None, START, None),
    ]
    events = len(await told(database))
    await database.command(service.update_user, SYSTEM, f"usr_{bo.id}", change)
    assert len(await told(database)) == events
    await database.command(service.update_user, SYSTEM, f"usr_{bo.id}", {"permissions": [], "roles": []})
    await database.command(service.update_user, SYSTEM, f"usr_{bo.id}", {"permissions": ["session:read"]})
    assert await explained(database, "bo") == [("session:read", "USER", None, minutes(2), None)]


async def test_grant_from_before_that_was_noted_stays_without_a_time(database: Database, clock: ManualClock) -> None:
    bo = await add(database, "bo", permissions=["session:read"])

    def forget(work: Work) -> None:
        work.connection.exec_driver_sql("UPDATE app_user SET granted_at = '{}'")

    await database.command(forget)
    clock.advance(60)
    await database.command(
        service.update_user, SYSTEM, f"usr_{bo.id}", {"permissions": ["session:read", "users:manage"]}
    )
    assert await explained(database, "bo") == [
        ("session:read", "USER", None, None, None),
        ("users:manage", "USER", None, minutes(1), None),
    ]


async def test_grant_of_a_group_says_how_long_the_tokens_have_had_it(
    people: PersonAuthenticator, said: Said, database: Database, clock: ManualClock
) -> None:
    await add(database, "ana", email="ana@example.com")
    said.says = {"email": "ana@example.com", "groups": ("everybody", "leads")}
    await people.actor_of(TOKEN)
    clock.advance(120)
    said.says |= {"groups": ("leads", "platform"), "ends": minutes(7)}
    await people.actor_of(TOKEN)
    assert await explained(database, "ana") == [
        ("directory:read", "GROUP", "leads", START, minutes(7)),
        ("session:read", "GROUP", "leads", START, minutes(7)),
        (None, "GROUP", "platform", minutes(2), minutes(7)),
    ]
    (known,) = await database.command(lambda work: work.use(IdentityRepository).list_of(2))
    assert (known.first_signed_in_at, known.signed_in_at, known.token_ends_at) == (START, minutes(2), minutes(7))
    # A former token that is still used says nothing new, and a group that was left and joined begins anew.
    said.says |= {"groups": ("everybody",), "ends": minutes(5)}
    await people.actor_of(TOKEN)
    assert [each for each, *_ in await explained(database, "ana")] == ["directory:read", "session:read", None]
    for groups, end in (((), 8), (("leads",), 9)):
        said.says |= {"groups": groups, "ends": minutes(end)}
        await people.actor_of(TOKEN)
    assert {since for *_, since, _ in await explained(database, "ana")} == {minutes(2)}


async def test_sign_in_is_noted_once_for_each_token(
    people: PersonAuthenticator, said: Said, database: Database, clock: ManualClock
) -> None:
    await add(database, "ana", email="ana@example.com")
    said.says = {"email": "ana@example.com"}
    await people.actor_of(TOKEN)
    events, units = await told(database), database.tally.units
    said.says |= {"ends": minutes(6)}
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(people.actor_of, TOKEN)
    for _ in range(10):
        await people.actor_of(TOKEN)
    assert database.tally.units == units + 1
    assert [each.topic for each in (await told(database))[len(events) :]] == ["user.signed_in"]


async def test_sign_in_is_not_noted_again_by_a_request_that_read_the_identity_before(
    people: PersonAuthenticator, said: Said, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add(database, "ana", email="ana@example.com")
    said.says = {"email": "ana@example.com"}
    await people.actor_of(TOKEN)
    said.says |= {"ends": minutes(6)}
    read = database.plan
    has_read, late = anyio.Event(), anyio.Event()
    asked = 0

    async def plan(*given: Any, **named: Any) -> Any:
        nonlocal asked
        asked += 1
        is_first = asked == 1
        found = await read(*given, **named)
        if is_first:
            has_read.set()
            await late.wait()
        return found

    monkeypatch.setattr(database, "plan", plan)
    async with anyio.create_task_group() as group:
        group.start_soon(people.actor_of, TOKEN)
        await has_read.wait()
        await people.actor_of(TOKEN)
        units = database.tally.units
        late.set()
    assert database.tally.units == units


class Refusing:
    """A database that is read and takes no command."""

    def __init__(self, database: Database) -> None:
        self.dialect = database.dialect
        self.plan = database.plan

    async def command_of(self, *_given: object) -> None:
        raise Unavailable("No command now.")


async def test_sign_in_that_cannot_be_noted_lets_the_person_in(
    people: PersonAuthenticator, said: Said, database: Database, authenticator: KeyAuthenticator, clock: ManualClock
) -> None:
    await add(database, "ana", email="ana@example.com")
    said.says = {"email": "ana@example.com"}
    await people.actor_of(TOKEN)
    said.says |= {"ends": minutes(6)}
    refusing = PersonAuthenticator(said, authenticator, Refusing(database), clock, PERMISSIONS)  # type: ignore[arg-type]
    actor = await refusing.actor_of(TOKEN)
    assert actor is not None
    assert actor.user_id == 2
    (known,) = await database.command(lambda work: work.use(IdentityRepository).list_of(2))
    assert known.token_ends_at == minutes(5)


async def test_key_says_what_it_is_narrowed_from(database: Database, admin: Actor) -> None:
    bo = await add(database, "bo", permissions=["session:read", "chat_session:read:team", "users:manage"])
    names = ["session:read:team", "session:read:own", "chat_session:read", "directory:read"]
    for user, key in ((f"usr_{bo.id}", "key_2"), ("usr_1", "key_3")):
        made, _ = await database.command(service.create_api_key, admin, "k", user=user, permissions=names)
        assert f"key_{made.id}" == key
    await database.command(service.create_api_key, admin, "whole", user=f"usr_{bo.id}", permissions=None)
    assert [(what, of) for what, _, of, *_ in await explained(database, "bo", "key_2")] == [
        ("chat_session:read:team", None),
        ("session:read:own", "session:read"),
        ("session:read:team", "session:read"),
    ]
    assert [(what, source) for what, source, *_ in await explained(database, "admin", "key_3")] == [
        (each, "ROLE") for each in sorted(names)
    ]
    assert await explained(database, "bo", "key_4") == await explained(database, "bo")
    for key in ("key_1", "key_9"):
        with pytest.raises(NotFound):
            await explained(database, "bo", key)
    with pytest.raises(InvalidInput):
        await explained(database, "bo", "usr_2")


async def test_identity_is_unlinked_by_who_manages_users(
    people: PersonAuthenticator, said: Said, database: Database, ask: Ask, admin: Actor
) -> None:
    manager = await add(database, "mia", permissions=["users:manage"])
    other = await add(database, "bo", email="bo@example.com")
    boss = await add(database, "boss", email="boss@example.com", roles=["admin"])
    for name in ("bo", "boss"):
        said.says = {"subject": name, "email": f"{name}@example.com"}
        await people.actor_of(TOKEN)
    before = await told(database)
    user = "user { id identities { nodes { subject } } }"
    text = f'mutation {{ unlinkIdentity(input: {{id: "%s"}}) {{ {user} errors {{ code }} }} }}'
    for actor, ref, code in (
        (actor_of(other), "idn_1", "FORBIDDEN"),
        (actor_of(manager), "idn_2", "FORBIDDEN"),
        (actor_of(manager), "idn_9", "NOT_FOUND"),
        (actor_of(manager), "usr_2", "INVALID_INPUT"),
    ):
        answer = await ask(actor, text % ref)
        assert answer["data"]["unlinkIdentity"] == {"user": None, "errors": [{"code": code}]}, answer
    assert await told(database) == before
    answer = await ask(actor_of(manager), text % "idn_1")
    left = {"user": {"id": f"usr_{other.id}", "identities": {"nodes": []}}, "errors": []}
    assert answer["data"]["unlinkIdentity"] == left
    (happened,) = [each for each in await told(database) if each not in before]
    assert (happened.topic, happened.actor_id) == ("user.identity_unlinked", manager.id)
    assert happened.data == {"user_id": other.id, "identity_id": 1, "issuer": LOGIN}
    assert (await ask(admin, text % "idn_2"))["data"]["unlinkIdentity"]["user"]["id"] == f"usr_{boss.id}"


async def test_grants_and_identities_are_seen_by_who_manages_users_and_by_themself(
    people: PersonAuthenticator, said: Said, database: Database, ask: Ask
) -> None:
    ana = await add(database, "ana", email="ana@example.com", permissions=["directory:read"])
    said.says = {"email": "ana@example.com", "groups": ("leads",)}
    actor = await people.actor_of(TOKEN)
    assert actor is not None
    fields = "grants { permission group identity { subject } } identities { nodes { issuer subject groups } }"
    shown = {
        "grants": [
            {"permission": "DIRECTORY_READ", "group": None, "identity": None},
            {"permission": "DIRECTORY_READ", "group": "leads", "identity": {"subject": "ana-1"}},
            {"permission": "SESSION_READ", "group": "leads", "identity": {"subject": "ana-1"}},
        ],
        "identities": {"nodes": [{"issuer": LOGIN, "subject": "ana-1", "groups": ["leads"]}]},
    }
    text = (
        f'{{ viewer {{ {fields} }} user(id: "usr_{ana.id}") {{ hiddenFields {fields} }} node(id: "idn_1") {{ id }} }}'
    )
    hidden = {
        "hiddenFields": ["apiKeys", "grants", "history", "identities", "openSessions", "sessionsEndedAt"],
        "grants": None,
        "identities": None,
    }
    assert (await ask(actor, text))["data"] == {"viewer": shown, "user": hidden, "node": None}
    manager = await add(database, "mia", permissions=["users:manage", "directory:read"])
    found = (await ask(actor_of(manager), text))["data"]
    assert found["user"] == {"hiddenFields": [], **shown}
    assert found["node"] == {"id": "idn_1"}
