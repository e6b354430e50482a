"""Sessions that are ended, and those that are listed."""

from datetime import timedelta

import pytest

from app.core.actor import SYSTEM, Actor
from app.core.errors import Unauthenticated
from app.core.sessions import Credential, OpenSession, Transport
from app.directory import service
from app.directory.authenticator import KeyAuthenticator
from app.directory.people import PersonAuthenticator
from app.directory.repository import ApiKeyRepository, SessionRepository, UserRepository
from app.directory.service.sessions import LEASE
from app.directory.ticketing import StreamTickets
from app.settings import Settings
from app.storage.database import Database, Work
from tests.conftest import START, ManualClock
from tests.directory.conftest import PERMISSIONS, Ask, actor_of, told
from tests.directory.test_people import TOKEN, Said, add, issuer_of, refused

pytestmark = pytest.mark.anyio

END = """mutation($user: ID, $ids: [ID!]) { endSessions(input: {userId: $user, sessionIds: $ids}) {
    user { id sessionsEndedAt version } errors { code path } } }"""


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


async def test_token_from_before_the_end_of_sessions_is_refused(
    people: PersonAuthenticator, said: Said, database: Database, clock: ManualClock
) -> None:
    ana = await add(database, "ana", email="ana@example.com")
    said.says = {"email": "ana@example.com", "issued_at": START}
    before = await people.actor_of(TOKEN)
    clock.advance(1.5)
    await database.command(service.end_sessions, SYSTEM, user=f"usr_{ana.id}")
    says = "The sessions of this token's user were ended after it was issued. Get a fresh token."
    for issued in (START, START + timedelta(seconds=1), None):
        said.says |= {"issued_at": issued}
        with pytest.raises(Unauthenticated) as error:
            await people.actor_of(TOKEN)
        assert (error.value.message, error.value.has_expired) == (says, True), issued
    said.says |= {"issued_at": START + timedelta(seconds=2)}
    after = await people.actor_of(TOKEN)
    assert before is not None
    assert after is not None
    # What knows the former one takes it for somebody else, and closes.
    assert (after.user_id, after.permissions) == (before.user_id, before.permissions)
    assert after != before
    # An inactive user is told that, whatever its token is.
    await database.command(service.deactivate_user, SYSTEM, f"usr_{ana.id}")
    assert await refused(people) == "The user of this token is not active."


async def test_key_outlives_the_end_of_sessions_and_its_tokens_and_tickets_do_not(
    database: Database, authenticator: KeyAuthenticator, clock: ManualClock, admin: Actor, admin_secret: str
) -> None:
    tickets = StreamTickets(database, clock, PERMISSIONS)
    prefix = admin_secret.split("_")[1]
    token = await authenticator.access_token(prefix, admin_secret)
    assert token is not None
    assert await authenticator.actor_of(token.token) == admin
    begun, waiting = [(await database.command(service.create_stream_ticket, admin))[1] for _ in range(2)]
    await tickets.begin(begun, "r")
    await database.command(service.end_sessions, admin)
    assert await authenticator.actor_of(token.token) is None
    assert await tickets.actor_of(begun) is None
    for ticket in (begun, waiting):
        with pytest.raises(Unauthenticated):
            await tickets.begin(ticket, "r")
    let_in = await authenticator.actor_of(admin_secret)
    assert let_in is not None
    assert (let_in.user_id, let_in.key_id) == (admin.user_id, admin.key_id)
    assert let_in != admin
    # The former actor is remembered for up to a second, and makes nothing that lasts.
    for command in (service.create_stream_ticket, lambda work, actor: service.create_api_key(work, actor, "k")):
        with pytest.raises(Unauthenticated) as error:
            await database.command(command, admin)
        assert error.value.message == "The sessions of this user were ended. Sign in again."
    assert len(await database.command(lambda work: work.use(ApiKeyRepository).list_of(admin.user_id))) == 1
    again = await authenticator.access_token(prefix, admin_secret)
    assert again is not None
    assert await authenticator.actor_of(again.token) == let_in
    await database.command(service.create_stream_ticket, let_in)
    await database.command(service.create_api_key, let_in, "k")
    await database.command(service.local_key, None, "command line")


async def test_sessions_are_ended_by_themself_and_by_who_manages_users(
    database: Database, ask: Ask, admin: Actor, clock: ManualClock
) -> None:
    bo, mia = await add(database, "bo"), await add(database, "mia", permissions=["users:manage"])
    narrowed = Actor(user_id=bo.id, name="Bo", key_id=9, is_narrowed=True)
    before = await told(database)
    for actor, user, code, path in (
        (actor_of(bo), f"usr_{mia.id}", "FORBIDDEN", []),
        (narrowed, None, "FORBIDDEN", []),
        (actor_of(mia), "usr_1", "FORBIDDEN", ["input", "userId"]),
        (actor_of(mia), "usr_99", "NOT_FOUND", ["input", "userId"]),
        (actor_of(mia), "key_1", "INVALID_INPUT", ["input", "userId"]),
    ):
        answer = (await ask(actor, END, user=user))["data"]["endSessions"]
        assert answer == {"user": None, "errors": [{"code": code, "path": path}]}, (user, answer)
    assert await told(database) == before
    users = await database.command(lambda work: work.use(UserRepository).all())
    assert [user.sessions_ended_at for user in users] == [None] * 3
    for actor, user, ended in (
        (actor_of(bo), None, bo.id),
        (actor_of(mia), f"usr_{bo.id}", bo.id),
        (admin, "usr_1", 1),
    ):
        clock.advance(1)
        answer = (await ask(actor, END, user=user))["data"]["endSessions"]
        at = f"{clock.now:%Y-%m-%dT%H:%M:%S.%f}Z" if actor.can("users:manage") else None
        assert answer == {"user": {"id": f"usr_{ended}", "sessionsEndedAt": at, "version": 1}, "errors": []}
    after = await told(database)
    assert len(after) == len(before) + 3
    ended_by = [(each.actor_id, each.data) for each in after if each.topic == "user.sessions_ended"]
    expected = [(bo.id, {"user_id": bo.id}), (mia.id, {"user_id": bo.id}), (1, {"user_id": 1})]
    assert sorted(ended_by, key=repr) == sorted(expected, key=repr)


def opened(number: int, at: ManualClock, key_id: int | None = None) -> OpenSession:
    return OpenSession(number, Transport.WEB_SOCKET, Credential.API_KEY, key_id, "console", "192.0.2.1", at.now)


async def test_open_sessions_are_listed_until_they_end_or_their_process_is_silent(
    database: Database, ask: Ask, admin: Actor, clock: ManualClock
) -> None:
    first = opened(2**62, clock, key_id=1)
    clock.advance(1)
    second, others = opened(7, clock), opened(9, clock)
    await database.command(service.note_sessions, "a", {(first, 1): 1, (others, 2): 1}, [])
    await database.command(service.note_sessions, "b", {(second, 1): 1}, [])

    async def listed() -> list[int]:
        found = await database.command(lambda work: work.use(SessionRepository).list_of(1, work.now))
        return [each.id for each in found]

    fields = "nodes { id transport credential apiKey { id } client address beganAt user { login } }"
    viewer = (await ask(admin, f"{{ viewer {{ openSessions {{ {fields} }} }} }}"))["data"]["viewer"]
    nodes = viewer["openSessions"]["nodes"]
    assert [node["id"] for node in nodes] == ["ops_7", f"ops_{2**62}"]
    assert nodes[1] == {
        "id": f"ops_{2**62}",
        "transport": "WEB_SOCKET",
        "credential": "API_KEY",
        "apiKey": {"id": "key_1"},
        "client": "console",
        "address": "192.0.2.1",
        "beganAt": "2026-01-05T09:00:00.000000Z",
        "user": {"login": "admin"},
    }
    bo = await add(database, "bo", permissions=["directory:read"])
    text = '{ user(id: "usr_1") { hiddenFields openSessions { totalCount } } node(id: "ops_7") { id } }'
    hidden = ["apiKeys", "grants", "history", "identities", "openSessions", "sessionsEndedAt"]
    assert (await ask(actor_of(bo), text))["data"] == {
        "user": {"hiddenFields": hidden, "openSessions": None},
        "node": None,
    }
    # Another process does not end them; its own renews its lease alone.
    await database.command(service.note_sessions, "b", {}, [(first, 1)])
    clock.advance(LEASE.total_seconds() - 1)
    await database.command(service.note_sessions, "a", {(first, 1): 1}, [])
    assert await listed() == [7, 2**62]
    clock.advance(1)
    assert await listed() == [2**62]
    assert await database.command(service.forget_sessions) is False
    await database.command(service.note_sessions, "a", {}, [(first, 1)])
    assert await listed() == []


async def test_sessions_end_alone_with_their_tickets(
    database: Database, ask: Ask, admin: Actor, clock: ManualClock
) -> None:
    bo, mia = await add(database, "bo"), await add(database, "mia", permissions=["users:manage"])
    tickets = StreamTickets(database, clock, PERMISSIONS)
    _, text = await database.command(service.create_stream_ticket, admin)
    _, others = await database.command(service.create_stream_ticket, admin)
    begun = await tickets.begin(text, "r")
    ticketed = opened(7, clock)._replace(credential=Credential.TICKET, ticket_id=begun.ticket_id)
    held = {(ticketed, 1): 1, (opened(8, clock), 1): 1, (opened(9, clock), bo.id): 1, (opened(10, clock), 1): 1}
    await database.command(service.note_sessions, "a", held, [])

    async def listed() -> list[int]:
        def read(work: Work) -> list[int]:
            sessions = work.use(SessionRepository)
            return sorted(each.id for user_id in (1, bo.id) for each in sessions.list_of(user_id, work.now))

        return await database.command(read)

    before = await told(database)
    narrowed = Actor(user_id=bo.id, name="Bo", key_id=9, is_narrowed=True)
    for actor, user, ids, code, path in (
        (admin, None, [], "INVALID_INPUT", ["input", "sessionIds"]),
        (admin, None, ["ops_7"] * 101, "TOO_LONG", ["input", "sessionIds"]),
        (admin, None, ["ops_7", "ops_9"], "NOT_FOUND", ["input", "sessionIds", "1"]),
        (admin, None, ["ops_7", "key_1"], "INVALID_INPUT", ["input", "sessionIds", "1"]),
        (admin, f"usr_{bo.id}", ["ops_8"], "NOT_FOUND", ["input", "sessionIds", "0"]),
        (actor_of(bo), "usr_1", ["ops_7"], "FORBIDDEN", []),
        (actor_of(mia), "usr_1", ["ops_7"], "FORBIDDEN", ["input", "userId"]),
        (narrowed, None, ["ops_9"], "FORBIDDEN", []),
    ):
        answer = (await ask(actor, END, user=user, ids=ids))["data"]["endSessions"]
        assert answer == {"user": None, "errors": [{"code": code, "path": path}]}, (ids, answer)
    assert (await told(database), await listed()) == (before, [7, 8, 9, 10])
    assert await tickets.actor_of(text) == admin
    for actor, user, ids in (
        (admin, None, ["ops_7", "ops_10", "ops_7"]),
        (actor_of(bo), None, ["ops_9"]),
    ):
        answer = (await ask(actor, END, user=user, ids=ids))["data"]["endSessions"]
        # What was given before goes on, but for the ticket.
        assert answer == {"user": {"id": f"usr_{actor.user_id}", "sessionsEndedAt": None, "version": 1}, "errors": []}
    assert await listed() == [8]
    assert await tickets.actor_of(text) is None
    with pytest.raises(Unauthenticated):
        await tickets.begin(text, "r")
    assert await tickets.begin(others, "r") == admin
    ends = [(each.actor_id, each.data) for each in await told(database) if each.topic == "user.session_ended"]
    expected = [(who, {"user_id": who, "session_id": which}) for who, which in ((1, 7), (1, 10), (bo.id, 9))]
    assert sorted(ends, key=repr) == sorted(expected, key=repr)
    clock.advance(LEASE.total_seconds())
    # 7 has ended already, and the process of 8 is silent.
    for gone in ("ops_7", "ops_8"):
        (error,) = (await ask(admin, END, ids=[gone]))["data"]["endSessions"]["errors"]
        assert error["code"] == "NOT_FOUND", gone
