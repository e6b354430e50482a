"""People of identity providers as users: linked, made, refused, and what they may do."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import anyio
import pytest

from app.core.actor import SYSTEM, Actor
from app.core.errors import AlreadyExists, Forbidden, InvalidInput, NotFound, Unauthenticated
from app.core.issuers import Issuer
from app.directory import service
from app.directory.authenticator import KeyAuthenticator
from app.directory.model import User
from app.directory.people import PersonAuthenticator
from app.directory.repository import IdentityRepository, UserRepository
from app.directory.ticketing import StreamTickets
from app.openid import Person
from app.settings import Settings
from app.storage.database import Database, Work, open_database
from tests.conftest import START, CountingIds, ManualClock
from tests.directory.conftest import PERMISSIONS, Ask, told

pytestmark = pytest.mark.anyio

LOGIN = "https://login.example.com"
TOKEN = "eyJ.e.s"


def issuer_of(**more: Any) -> Issuer:
    return Issuer.model_validate({"issuer": LOGIN, "audiences": ["switchboard"], **more})


class Said:
    """Stands in for verified tokens: what the next one says."""

    def __init__(self) -> None:
        self.issuer = issuer_of()
        self.says: dict[str, Any] = {}

    async def person(self, _token: str) -> Person:
        given = {"issuer": self.issuer, "subject": "ana-1", "ends": START + timedelta(minutes=5), **self.says}
        given |= {name: frozenset(given.get(name, ())) for name in ("permissions", "teams")}
        return Person(**given)


@pytest.fixture
def settings() -> Settings:
    return Settings(issuers=(issuer_of(),))


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def people(
    said: Said, authenticator: KeyAuthenticator, database: Database, clock: ManualClock, admin: Actor
) -> PersonAuthenticator:
    assert admin.is_admin
    return PersonAuthenticator(said, authenticator, database, clock, PERMISSIONS)  # type: ignore[arg-type]


async def add(database: Database, login: str, **given: Any) -> User:
    def make(work: Work) -> User:
        return service.create_user(work, SYSTEM, {"name": login.title(), "login": login, **given})  # type: ignore[typeddict-item]

    return await database.command(make)


async def users(database: Database) -> list[str]:
    found = await database.command(lambda work: work.use(UserRepository).all())
    return [user.login for user in found]


async def topics(database: Database, user_id: int) -> list[str]:
    """What happened to a user, in alphabetical order."""
    return sorted(event.topic for event in await told(database) if event.data.get("user_id") == user_id)


async def refused(people: PersonAuthenticator) -> str:
    with pytest.raises(Unauthenticated) as error:
        await people.actor_of(TOKEN)
    return error.value.message


async def test_person_is_linked_once_by_a_verified_address(
    people: PersonAuthenticator, said: Said, database: Database
) -> None:
    ana = await add(database, "ana", email="Ana@Example.com", permissions=["session:read"])
    said.says = {"email": "ana@example.com", "permissions": ["chat_session:read"]}
    actor = await people.actor_of(TOKEN)
    assert actor == Actor(
        user_id=ana.id, name="Ana", permissions=frozenset({"session:read", "chat_session:read"}), key_id=None
    )
    assert actor.expires_at == START + timedelta(minutes=5)
    before = len(await told(database))
    # From now on it is the person that counts, whatever its address is.
    said.says = {"email": "new@example.com"}
    again = await people.actor_of(TOKEN)
    assert again is not None
    assert (again.user_id, again.permissions) == (ana.id, frozenset({"session:read"}))
    events = await told(database)
    assert len(events) == before
    (linked,) = (event for event in events if event.topic == "user.identity_linked")
    assert (linked.topic, linked.data, linked.actor_id) == (
        "user.identity_linked",
        {"user_id": ana.id, "identity_id": 1, "issuer": LOGIN},
        None,
    )
    assert await users(database) == ["admin", "ana"]


async def test_person_whom_nobody_knows_is_refused_without_a_change(
    people: PersonAuthenticator, said: Said, database: Database
) -> None:
    await add(database, "bot", email="bot@example.com", is_service=True)
    before = await told(database)
    for says in ({}, {"email": "nobody@example.com"}, {"email": "bot@example.com"}):
        said.says = {"subject": str(says), **says}
        assert await refused(people) == "No user is linked to the person of this token."
    assert (await users(database), await told(database)) == (["admin", "bot"], before)


async def test_person_who_was_refused_is_not_looked_for_again_for_a_moment(
    people: PersonAuthenticator, said: Said, database: Database, clock: ManualClock
) -> None:
    said.says = {"email": "ana@example.com"}
    assert await refused(people) == "No user is linked to the person of this token."
    ana = await add(database, "ana", email="ana@example.com")
    assert await refused(people) == "No user is linked to the person of this token."
    clock.advance(5)
    actor = await people.actor_of(TOKEN)
    assert actor is not None
    assert actor.user_id == ana.id


async def test_address_of_several_users_or_of_another_person_links_nobody(
    people: PersonAuthenticator, said: Said, database: Database
) -> None:
    await add(database, "ana", email="ana@example.com")
    said.says = {"subject": "first", "email": "ana@example.com"}
    assert await people.actor_of(TOKEN) is not None
    said.says = {"subject": "second", "email": "ana@example.com"}
    assert await refused(people) == (
        "The user with this token's e-mail address is linked to another person of the same issuer."
    )
    await add(database, "bo", email="bo@example.com")
    await add(database, "bo2", email="BO@example.com")
    said.says = {"subject": "third", "email": "bo@example.com"}
    assert await refused(people) == "Several users have this token's e-mail address, so it identifies none of them."


async def test_address_links_nobody_where_the_setting_says_so(
    people: PersonAuthenticator, said: Said, database: Database
) -> None:
    await add(database, "ana", email="ana@example.com")
    said.issuer = issuer_of(link_by_email=False)
    said.says = {"email": "ana@example.com"}
    assert await refused(people) == "No user is linked to the person of this token."


async def test_person_is_made_a_user_where_the_setting_allows(
    people: PersonAuthenticator, said: Said, database: Database
) -> None:
    said.issuer = issuer_of(create_users=True)
    said.says = {"login": "ana", "name": "Ana Lund", "email": "ana@example.com", "permissions": ["session:read"]}
    actor = await people.actor_of(TOKEN)
    assert actor == Actor(user_id=2, name="Ana Lund", permissions=frozenset({"session:read"}))
    made = await database.command(lambda work: work.use(UserRepository).get(2))
    assert made is not None
    assert (made.login, made.full_name, made.email) == ("ana", None, "ana@example.com")
    assert (made.permissions, made.roles, made.active, made.is_service) == ((), (), True, False)
    assert await topics(database, 2) == ["user.created", "user.identity_linked", "user.signed_in"]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("says", "login"),
    [
        ({"login": "Admin", "email": "ana@example.com"}, "ana@example.com"),
        ({"login": "ana lund"}, "ana-1"),
        ({"login": "x" * 65, "subject": "y" * 65}, "person-00000000-0000-7000-8000-"),
    ],
)
async def test_login_of_a_new_user_is_the_first_that_is_free(
    people: PersonAuthenticator, said: Said, database: Database, says: dict[str, Any], login: str
) -> None:
    said.issuer = issuer_of(create_users=True)
    said.says = says
    assert await people.actor_of(TOKEN) is not None
    assert (await users(database))[1].startswith(login)


async def test_person_who_signs_in_many_times_at_once_becomes_one_user(
    people: PersonAuthenticator, said: Said, database: Database
) -> None:
    said.issuer = issuer_of(create_users=True)
    found: list[Actor | None] = []

    async def sign_in() -> None:
        found.append(await people.actor_of(TOKEN))

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(sign_in)
    assert {actor.user_id for actor in found if actor is not None} == {2}
    assert (len(found), await users(database)) == (10, ["admin", "ana-1"])


async def test_person_who_signs_in_at_two_processes_at_once_becomes_one_user(
    database: Database,
    database_url: str,
    authenticator: KeyAuthenticator,
    settings: Settings,
    clock: ManualClock,
    kinds: Mapping[str, Any],
    admin: Actor,
) -> None:
    other = await open_database(database_url, clock=clock, ids=CountingIds(), settings=settings, kinds=kinds)
    found: dict[str, set[int]] = {f"p{number}": set() for number in range(20)}

    async def sign_in(people: PersonAuthenticator, subject: str) -> None:
        actor = await people.actor_of(TOKEN)
        assert actor is not None
        found[subject].add(actor.user_id)

    try:
        async with anyio.create_task_group() as group:
            for subject in found:
                for each in (database, other):
                    said = Said()
                    said.issuer = issuer_of(create_users=True)
                    said.says = {"subject": subject}
                    made = PersonAuthenticator(said, authenticator, each, clock, PERMISSIONS)  # type: ignore[arg-type]
                    group.start_soon(sign_in, made, subject)
    finally:
        await other.close()
    assert all(len(ids) == 1 for ids in found.values())
    assert len(await users(database)) == 21


async def test_person_of_two_providers_is_two_identities_of_one_user(
    people: PersonAuthenticator, said: Said, database: Database
) -> None:
    ana = await add(database, "ana", email="ana@example.com")
    said.says = {"email": "ana@example.com"}
    assert await people.actor_of(TOKEN) is not None
    said.issuer = issuer_of(issuer="https://other.example.com")
    assert await people.actor_of(TOKEN) is not None
    found = await database.command(lambda work: work.use(IdentityRepository).list_of(ana.id))
    assert [(each.issuer, each.subject) for each in found] == [
        (LOGIN, "ana-1"),
        ("https://other.example.com", "ana-1"),
    ]


async def test_user_who_is_inactive_is_refused(people: PersonAuthenticator, said: Said, database: Database) -> None:
    await add(database, "ana", email="ana@example.com", active=False)
    said.says = {"email": "ana@example.com"}
    assert await refused(people) == "The user of this token is not active."


async def test_admin_is_who_has_the_role_or_a_group_that_grants_it(
    people: PersonAuthenticator, said: Said, database: Database
) -> None:
    await add(database, "ana", email="ana@example.com", roles=["admin"])
    said.says = {"email": "ana@example.com"}
    actor = await people.actor_of(TOKEN)
    assert actor is not None
    assert (actor.is_admin, actor.permissions) == (True, frozenset(PERMISSIONS))
    said.issuer = issuer_of(create_users=True)
    said.says = {"subject": "bo-1", "is_admin": True}
    actor = await people.actor_of(TOKEN)
    assert actor is not None
    assert (actor.is_admin, actor.permissions) == (True, frozenset(PERMISSIONS))
    said.says = {"subject": "bo-1"}
    actor = await people.actor_of(TOKEN)
    assert actor is not None
    assert (actor.is_admin, actor.permissions) == (False, frozenset())


async def test_keys_are_let_in_beside_people(people: PersonAuthenticator, admin_secret: str, admin: Actor) -> None:
    assert await people.actor_of(admin_secret) == admin
    assert await people.actor_of("nobody") is None


async def test_viewer_of_a_person_has_no_key(
    people: PersonAuthenticator, said: Said, database: Database, ask: Ask, admin: Actor
) -> None:
    await add(database, "ana", email="ana@example.com", permissions=["directory:read"])
    said.says = {"email": "ana@example.com", "permissions": ["session:read"]}
    actor = await people.actor_of(TOKEN)
    assert actor is not None
    query = "{ viewer { user { login email } permissions apiKey { id } apiKeys { totalCount } } }"
    assert (await ask(actor, query))["data"]["viewer"] == {
        "user": {"login": "ana", "email": "ana@example.com"},
        "permissions": ["DIRECTORY_READ", "SESSION_READ"],
        "apiKey": None,
        "apiKeys": {"totalCount": 0},
    }
    answer = (await ask(admin, query.replace("email ", "")))["data"]["viewer"]
    assert (answer["apiKey"], answer["apiKeys"]) == ({"id": "key_1"}, {"totalCount": 1})


async def test_key_of_a_person_ends_with_its_token(
    people: PersonAuthenticator, said: Said, database: Database, authenticator: KeyAuthenticator, clock: ManualClock
) -> None:
    await add(database, "ana", email="ana@example.com", permissions=["session:read"])
    said.says = {"email": "ana@example.com", "permissions": ["chat_session:read"]}
    actor = await people.actor_of(TOKEN)
    assert actor is not None
    key, secret = await database.command(service.create_api_key, actor, "k")
    assert key.expires_at == actor.expires_at
    let_in = await authenticator.actor_of(str(secret))
    assert let_in is not None
    assert let_in.permissions == {"session:read"}, "what groups grant is of the token alone"
    clock.advance(300)
    assert await authenticator.actor_of(str(secret)) is None


async def test_teams_of_groups_are_added_to_those_of_the_user(
    people: PersonAuthenticator, said: Said, database: Database, clock: ManualClock
) -> None:
    tickets = StreamTickets(database, clock, PERMISSIONS)
    user = await add(database, "ana", email="ana@example.com", permissions=["session:read:team"])
    await database.command(service.create_team, SYSTEM, {"name": "Own", "member_ids": [f"usr_{user.id}"]})
    said.says = {"email": "ana@example.com", "teams": [3, 4]}
    actor = await people.actor_of(TOKEN)
    assert actor is not None
    assert actor.teams == {1, 3, 4}
    _, ticket = await database.command(service.create_stream_ticket, actor)
    assert (await tickets.begin(ticket, "r")).teams == {1, 3, 4}
    said.says = {"email": "ana@example.com"}
    again = await people.actor_of(TOKEN)
    assert again is not None
    assert again.teams == {1}


# ---- by hand ----


async def test_identity_is_linked_and_unlinked_by_hand(
    people: PersonAuthenticator, said: Said, database: Database
) -> None:
    await add(database, "ana")
    identity = await database.command(service.link_identity, "ANA", LOGIN, "ana-1")
    actor = await people.actor_of(TOKEN)
    assert actor is not None
    assert (actor.user_id, identity.user_id) == (2, 2)
    with pytest.raises(AlreadyExists, match="is linked to a user already"):
        await database.command(service.link_identity, "admin", LOGIN, "ana-1")
    with pytest.raises(NotFound, match="is not linked"):
        await database.command(service.unlink_identity, "admin", LOGIN, "ana-1")
    await database.command(service.unlink_identity, "ana", LOGIN, "ana-1")
    assert await refused(people) == "No user is linked to the person of this token."
    assert await topics(database, 2) == [
        "user.created",
        "user.identity_linked",
        "user.identity_unlinked",
        "user.signed_in",
    ]


async def test_identity_of_an_unknown_issuer_or_user_is_not_linked(database: Database, admin: Actor) -> None:
    before = await told(database)
    with pytest.raises(InvalidInput, match="has no issuer"):
        await database.command(service.link_identity, "admin", f"{LOGIN}/", "ana-1")
    with pytest.raises(InvalidInput, match="1 to 255"):
        await database.command(service.link_identity, "admin", LOGIN, "")
    with pytest.raises(NotFound, match="no user with the login"):
        await database.command(service.link_identity, "nobody", LOGIN, "ana-1")
    assert await told(database) == before


async def test_address_by_which_a_user_signs_in_is_changed_by_who_may_all_that_it_may(
    database: Database, admin: Actor
) -> None:
    ana = await add(database, "ana", email="ana@example.com", permissions=["session:read", "directory:read"])
    manager = Actor(user_id=admin.user_id, name="M", permissions=frozenset({"users:manage", "session:read"}))
    before = await told(database)
    for email in ("m@example.com", None):
        with pytest.raises(Forbidden) as error:
            await database.command(service.update_user, manager, f"usr_{ana.id}", {"email": email})
        assert error.value.path == ("email",)
    assert await told(database) == before
    same = {"email": "ana@example.com", "full_name": "Ana Lund"}
    await database.command(service.update_user, manager, f"usr_{ana.id}", same)  # type: ignore[arg-type]
    peer = Actor(user_id=admin.user_id, name="M", permissions=frozenset({"users:manage", *ana.permissions}))
    await database.command(service.update_user, peer, f"usr_{ana.id}", {"email": "m@example.com"})
    await database.command(service.update_user, admin, f"usr_{ana.id}", {"email": "n@example.com"})
