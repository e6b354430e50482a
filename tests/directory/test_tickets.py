"""Tickets of streams: what they are good for, how long, and for whom."""

from datetime import timedelta

import anyio
import pytest
import sqlalchemy as sa

from app.core.actor import SYSTEM, Actor
from app.core.errors import Forbidden, TooMany, Unauthenticated
from app.directory import service
from app.directory.authenticator import KeyAuthenticator
from app.directory.model.ticket import BEGINS_WITHIN, MOST_TICKETS
from app.directory.tables import stream_ticket
from app.directory.ticketing import StreamTickets
from app.storage.database import Database, Work
from tests.conftest import START, ManualClock
from tests.directory.conftest import PERMISSIONS, Ask

pytestmark = pytest.mark.anyio

CREATE = """mutation { createStreamTicket(input: {clientMutationId: "c"}) {
    ticket beginsBefore endsAt clientMutationId errors { code } } }"""


@pytest.fixture
def tickets(database: Database, clock: ManualClock) -> StreamTickets:
    return StreamTickets(database, clock, PERMISSIONS)


async def made(database: Database, actor: Actor) -> str:
    _, secret = await database.command(service.create_stream_ticket, actor)
    return secret


async def refused(tickets: StreamTickets, ticket: str, request: str = "r") -> str:
    with pytest.raises(Unauthenticated) as error:
        await tickets.begin(ticket, request)
    return error.value.message


async def kept(database: Database) -> int:
    def count(work: Work) -> int:
        return int(work.connection.execute(sa.select(sa.func.count()).select_from(stream_ticket)).scalar_one())

    return await database.command(count)


async def test_ticket_is_given_once_and_stored_as_a_digest(ask: Ask, database: Database, admin: Actor) -> None:
    answer = (await ask(admin, CREATE))["data"]["createStreamTicket"]
    ticket = answer.pop("ticket")
    assert answer == {
        "beginsBefore": "2026-01-05T09:01:00.000000Z",
        "endsAt": "2026-01-05T21:00:00.000000Z",
        "clientMutationId": "c",
        "errors": [],
    }
    assert ticket.startswith("swx_")
    assert len(ticket) == 47

    def rows(work: Work) -> str:
        return repr(work.connection.execute(sa.select(stream_ticket)).all())

    assert ticket not in await database.command(rows)


async def test_ticket_begins_one_stream_within_a_minute_and_resumes_it(
    tickets: StreamTickets, database: Database, admin: Actor, clock: ManualClock
) -> None:
    ticket, late = await made(database, admin), await made(database, admin)
    assert await tickets.actor_of(ticket) is None, "before it has begun"
    clock.advance(59)
    actor = await tickets.begin(ticket, "first")
    assert (actor, actor.expires_at) == (admin, START + timedelta(hours=12))
    assert await refused(tickets, ticket, "second") == "This ticket is for another stream."
    clock.advance(1)
    assert await refused(tickets, late) == "This ticket was not used in time."
    clock.advance(11 * 3600)
    assert await tickets.begin(ticket, "first") == await tickets.actor_of(ticket) == admin
    clock.advance(3600)
    assert await refused(tickets, ticket, "first") == "This ticket is not valid."
    assert await tickets.actor_of(ticket) is None


async def test_ticket_is_bound_to_one_of_the_requests_that_come_at_once(
    tickets: StreamTickets, database: Database, admin: Actor
) -> None:
    ticket = await made(database, admin)
    begun: list[str] = []
    told: list[str] = []

    async def begin(request: str) -> None:
        try:
            await tickets.begin(ticket, request)
            begun.append(request)
        except Unauthenticated as error:
            told.append(error.message)

    async with anyio.create_task_group() as group:
        for number in range(8):
            group.start_soon(begin, f"r{number % 4}")
    assert len(begun) == 2
    assert len(set(begun)) == 1
    assert told == ["This ticket is for another stream."] * 6


@pytest.mark.parametrize("text", ["", "swx_", "swx_" + "A" * 43, "swx_" + "A" * 44, "swk_abcdefgh_" + "x" * 43, "é"])
async def test_text_that_is_no_ticket_is_refused(tickets: StreamTickets, admin: Actor, text: str) -> None:
    assert admin.is_admin
    assert await refused(tickets, text) == "This ticket is not valid."
    assert await tickets.actor_of(text) is None


async def test_ticket_is_no_key(authenticator: KeyAuthenticator, database: Database, admin: Actor) -> None:
    assert await authenticator.actor_of(await made(database, admin)) is None


async def test_ticket_ends_with_the_credential_that_made_it(
    tickets: StreamTickets, database: Database, admin: Actor, authenticator: KeyAuthenticator, clock: ManualClock
) -> None:
    _, secret = await database.command(
        service.create_api_key, admin, "k", permissions=["session:read"], expires_at=START + timedelta(minutes=5)
    )
    actor = await authenticator.actor_of(str(secret))
    assert actor is not None
    ticket = await made(database, actor)
    found = await tickets.begin(ticket, "r")
    assert (found, found.expires_at) == (actor, START + timedelta(minutes=5))
    assert (found.permissions, found.is_admin, found.is_narrowed) == (frozenset({"session:read"}), False, True)
    clock.advance(300)
    assert await refused(tickets, ticket) == "This ticket is not valid."


async def test_ticket_ends_with_the_key_that_is_revoked_and_the_user_that_is_deactivated(
    tickets: StreamTickets, database: Database, admin: Actor, authenticator: KeyAuthenticator
) -> None:
    user = await database.command(service.create_user, admin, {"name": "Bo", "login": "bo"})
    key, secret = await database.command(service.create_api_key, admin, "k", user=f"usr_{user.id}")
    actor = await authenticator.actor_of(str(secret))
    assert actor is not None
    of_key = await made(database, actor)
    person = Actor(user_id=user.id, name="Bo", expires_at=START + timedelta(hours=1))
    of_person = await made(database, person)
    for ticket in (of_key, of_person):
        await tickets.begin(ticket, "r")
    await database.command(service.revoke_api_key, admin, f"key_{key.id}")
    assert await refused(tickets, of_key) == "This ticket is not valid."
    assert await tickets.actor_of(of_person) == person
    await database.command(service.deactivate_user, admin, f"usr_{user.id}")
    assert await tickets.actor_of(of_person) is None
    assert await refused(tickets, of_person) == "This ticket is not valid."


async def test_ticket_of_a_token_allows_what_the_token_granted_and_the_user_may_today(
    tickets: StreamTickets, database: Database, admin: Actor
) -> None:
    user = await database.command(
        service.create_user, admin, {"name": "Bo", "login": "bo", "permissions": ["session:read", "directory:read"]}
    )
    ends = START + timedelta(minutes=5)
    held = frozenset({"session:read", "directory:read", "chat_session:read"})
    ticket = await made(database, Actor(user_id=user.id, name="Bo", permissions=held, expires_at=ends))
    found = await tickets.begin(ticket, "r")
    assert (found.permissions, found.expires_at, found.key_id) == (held, ends, None)
    await database.command(service.update_user, admin, f"usr_{user.id}", {"permissions": ["session:read"]})
    again = await tickets.actor_of(ticket)
    assert again is not None
    assert again.permissions == {"session:read", "chat_session:read"}
    leader = Actor(user_id=user.id, name="Bo", permissions=frozenset(PERMISSIONS), is_admin=True, expires_at=ends)
    assert await tickets.begin(await made(database, leader), "r") == leader


async def test_tickets_of_one_user_are_bounded(database: Database, admin: Actor, clock: ManualClock) -> None:
    _, secret = await database.command(service.create_stream_ticket, admin)
    assert secret

    def fill(work: Work) -> None:
        row = dict(work.connection.execute(sa.select(stream_ticket)).one()._mapping)
        del row["id"]
        work.connection.execute(
            sa.insert(stream_ticket), [row | {"digest": str(number)} for number in range(MOST_TICKETS - 2)]
        )

    await database.command(fill)
    await made(database, admin)
    with pytest.raises(TooMany):
        await made(database, admin)
    with pytest.raises(Forbidden):
        await made(database, SYSTEM)
    assert await kept(database) == MOST_TICKETS
    clock.advance(BEGINS_WITHIN.total_seconds())
    await made(database, admin)


async def test_ticket_of_the_oldest_stream_makes_way_for_another_one(
    database: Database, tickets: StreamTickets, admin: Actor, clock: ManualClock
) -> None:
    waiting = await made(database, admin)
    oldest, newer = await made(database, admin), await made(database, admin)
    for ticket in (oldest, newer):
        await tickets.begin(ticket, "r")

    def fill(work: Work) -> None:
        row = dict(
            work.connection.execute(sa.select(stream_ticket).where(stream_ticket.c.request == "r")).all()[-1]._mapping
        )
        del row["id"]
        rows = [row | {"digest": str(number)} for number in range(MOST_TICKETS - 3)]
        work.connection.execute(sa.insert(stream_ticket), rows)

    await database.command(fill)
    await made(database, admin)
    assert await tickets.actor_of(oldest) is None
    assert await tickets.actor_of(newer) == admin
    assert await tickets.begin(waiting, "r") == admin
    assert await kept(database) == MOST_TICKETS


async def test_tickets_that_are_good_for_nothing_are_erased(
    database: Database, tickets: StreamTickets, admin: Actor, clock: ManualClock
) -> None:
    begun = await made(database, admin)
    await made(database, admin)
    await tickets.begin(begun, "r")
    clock.advance(59)
    fresh = await made(database, admin)
    assert not await database.command(service.forget_tickets)
    assert await kept(database) == 3
    clock.advance(1)
    await database.command(service.forget_tickets)
    assert await kept(database) == 2
    assert await tickets.begin(fresh, "r") == await tickets.begin(begun, "r") == admin
    clock.advance(12 * 3600)
    await database.command(service.forget_tickets)
    assert await kept(database) == 0
