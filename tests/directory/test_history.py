"""The history of users: what is in it, who sees it, and how little a flood of refusals writes."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.actor import SYSTEM, Actor
from app.core.errors import Forbidden, Unauthenticated, Unavailable
from app.directory import service
from app.directory.authenticator import KeyAuthenticator
from app.directory.model.refusal import Counted, Refusal, RefusalReason, Refusals
from app.directory.people import PersonAuthenticator
from app.directory.refusing import RefusalLog, refusing
from app.settings import Settings
from app.storage.database import Database, Work
from app.storage.event_log import forget_events, keep_partitions
from app.storage.event_log.tables import event_log
from tests.conftest import START, ManualClock
from tests.directory.conftest import PERMISSIONS, Ask, actor_of, told
from tests.directory.test_people import LOGIN, TOKEN, Said, add, issuer_of

pytestmark = pytest.mark.anyio

OF_USER = """query($id: ID!) { user(id: $id) { hiddenFields history(first: 100, orderBy: {field: AT, direction: ASC}) {
    totalCount nodes { id at topic actor { login } changes { field before after } apiKey { name } team { name }
    identity { subject } issuer reason permission times } } } }"""
OWN = """{ viewer { history(first: 2) {
    totalCount nodes { topic actor { login } apiKey { name } } pageInfo { endCursor } } } }"""


@pytest.fixture
def settings() -> Settings:
    return Settings(issuers=(issuer_of(),))


@pytest.fixture
def refusals() -> Refusals:
    return Refusals()


@pytest.fixture
def forbidden(database: Database, refusals: Refusals) -> Callable[[Actor, Forbidden], None]:
    return RefusalLog(database, refusals).forbidden


@pytest.fixture
def keys(database: Database, settings: Settings, clock: ManualClock, refusals: Refusals) -> KeyAuthenticator:
    return KeyAuthenticator(database, settings, clock, PERMISSIONS, refusals)


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def people(
    said: Said, keys: KeyAuthenticator, database: Database, clock: ManualClock, refusals: Refusals
) -> PersonAuthenticator:
    return PersonAuthenticator(said, keys, database, clock, PERMISSIONS, refusals)  # type: ignore[arg-type]


async def entries(ask: Ask, admin: Actor, user_id: int) -> list[dict[str, Any]]:
    """The whole history of the user, from the beginning."""
    data = await ask(admin, OF_USER, id=f"usr_{user_id}")
    found = data["data"]["user"]["history"]
    assert found["totalCount"] == len(found["nodes"])
    nodes: list[dict[str, Any]] = found["nodes"]
    return nodes


def topics(found: Sequence[dict[str, Any]]) -> list[str]:
    return [each["topic"] for each in found]


async def test_history_tells_who_changed_a_user_and_what_it_was_granted(
    database: Database, ask: Ask, admin: Actor
) -> None:
    ana = await add(database, "ana", email="ana@example.com", permissions=["session:read"])
    run, ref = database.command, f"usr_{ana.id}"
    await run(service.update_user, admin, ref, {"name": "Ana B", "email": "b@example.com"})
    await run(service.update_user, admin, ref, {"roles": ["admin"], "permissions": ["reports:read", "session:read"]})
    await run(service.set_presence, admin, True, user=ref)
    await run(service.deactivate_user, admin, ref)
    await run(service.activate_user, admin, ref)
    await run(service.end_sessions, admin, user=ref)
    team = await run(service.create_team, admin, {"name": "First", "member_ids": [ref]})
    await run(service.update_team, admin, f"tea_{team.id}", {"member_ids": []})
    key, _ = await run(service.create_api_key, admin, "Robot", user=ref)
    await run(service.revoke_api_key, admin, f"key_{key.id}")
    await run(service.link_identity, "ana", LOGIN, "7f3c")
    await run(service.unlink_identity, "ana", LOGIN, "7f3c")
    # What is about others is not in it.
    await add(database, "bo")
    found = await entries(ask, admin, ana.id)
    assert topics(found) == [
        *("USER_CREATED", "USER_UPDATED", "USER_UPDATED", "USER_PRESENCE_CHANGED", "USER_DEACTIVATED"),
        *("USER_PRESENCE_CHANGED", "USER_ACTIVATED", "USER_SESSIONS_ENDED", "USER_TEAM_JOINED", "USER_TEAM_LEFT"),
        *("API_KEY_CREATED", "API_KEY_REVOKED", "USER_IDENTITY_LINKED", "USER_IDENTITY_UNLINKED"),
    ]
    assert [each["actor"] for each in found] == [None, *[{"login": "admin"}] * 11, None, None]
    assert [[*change.values()] for each in found[:4] for change in each["changes"]] == [
        ["permissions", "", "session:read"],
        ["name", None, None],
        ["email", None, None],
        ["roles", "", "admin"],
        ["permissions", "session:read", "reports:read session:read"],
        ["present", "false", "true"],
    ]
    assert [each["team"] for each in found[8:10]] == [{"name": "First"}] * 2
    assert [each["apiKey"] for each in found[10:12]] == [{"name": "Robot"}] * 2
    assert [(each["issuer"], each["identity"]) for each in found[12:]] == [(LOGIN, None)] * 2
    assert len({each["id"] for each in found}) == len(found)


async def test_history_tells_of_each_sign_in_once(
    database: Database, ask: Ask, admin: Actor, people: PersonAuthenticator, said: Said, clock: ManualClock
) -> None:
    ana = await add(database, "ana", email="ana@example.com")
    said.says = {"email": "ana@example.com"}
    for _ in range(3):
        assert await people.actor_of(TOKEN) is not None
    clock.advance(60)
    said.says |= {"ends": START + timedelta(minutes=15)}
    for _ in range(3):
        assert await people.actor_of(TOKEN) is not None
    _, linked, first, second = await entries(ask, admin, ana.id)
    assert linked["topic"] == "USER_IDENTITY_LINKED"
    for each in (first, second):
        assert (each["topic"], each["actor"]) == ("USER_SIGNED_IN", {"login": "ana"})
        assert (each["issuer"], each["identity"]) == (LOGIN, {"subject": "ana-1"})
    assert first["at"] < second["at"]


async def test_refused_credentials_of_a_known_user_are_in_its_history(
    database: Database,
    ask: Ask,
    admin: Actor,
    keys: KeyAuthenticator,
    people: PersonAuthenticator,
    said: Said,
    clock: ManualClock,
    refusals: Refusals,
) -> None:
    ana = await add(database, "ana", email="ana@example.com")
    run, ref = database.command, f"usr_{ana.id}"
    given = {"user": ref, "expires_at": clock() + timedelta(minutes=1)}
    made = [
        await run(service.create_api_key, admin, name, **more)
        for name, more in (
            ("Ends", given),
            ("Revoked", {"user": ref}),
            ("Stays", {"user": ref}),
        )
    ]
    (_, ends), (revoked_key, revoked), (_, stays) = made
    said.says = {"email": "ana@example.com", "issued_at": START}
    assert await people.actor_of(TOKEN) is not None
    clock.advance(90)
    await run(service.revoke_api_key, admin, f"key_{revoked_key.id}")
    await run(service.end_sessions, admin, user=ref)
    before = len(await told(database))
    for secret in (ends, revoked):
        assert secret is not None
        assert await keys.actor_of(secret) is None
        # Whoever has not the whole secret is nobody that is known.
        assert await keys.actor_of(secret[:-1] + ("A" if secret[-1] != "A" else "B")) is None
    with pytest.raises(Unauthenticated):
        await people.actor_of(TOKEN)
    assert await keys.actor_of(stays or "") is not None
    await run(service.deactivate_user, SYSTEM, ref)
    assert await keys.actor_of(stays or "") is None
    with pytest.raises(Unauthenticated):
        await people.actor_of(TOKEN)
    # The path of a request writes nothing of it.
    assert len(await told(database)) == before + 1
    await RefusalLog(database, refusals).write()
    found = [each for each in await entries(ask, admin, ana.id) if each["topic"] == "USER_REFUSED"]
    assert [(each["reason"], each["apiKey"], each["times"], each["actor"]) for each in found] == [
        ("KEY_EXPIRED", {"name": "Ends"}, 1, {"login": "ana"}),
        ("KEY_REVOKED", {"name": "Revoked"}, 1, {"login": "ana"}),
        ("SESSIONS_ENDED", None, 1, {"login": "ana"}),
        ("USER_INACTIVE", {"name": "Stays"}, 2, {"login": "ana"}),
    ]
    log = str(await told(database))
    assert not any(secret and secret in log for _, secret in made)


async def test_refusals_in_a_flood_are_few_entries(
    database: Database, keys: KeyAuthenticator, admin: Actor, ask: Ask, refusals: Refusals
) -> None:
    key, secret = await database.command(service.create_api_key, admin, "Leaked")
    await database.command(service.revoke_api_key, admin, f"key_{key.id}")
    log = RefusalLog(database, refusals)
    before, units = len(await told(database)), database.tally.units
    for turn in range(2):
        for _ in range(50):
            assert secret is not None
            assert await keys.actor_of(secret) is None
            log.forbidden(admin, Forbidden("No.", permission="teams:manage"))
            log.forbidden(admin, Forbidden("No."))
        assert database.tally.units == units + turn
        await log.write()
        await log.write()  # nothing more has happened
        assert database.tally.units == units + turn + 1
    found = (await entries(ask, admin, admin.user_id))[-6:]
    assert len(await told(database)) == before + 6
    assert [(each["reason"], each["permission"], each["times"]) for each in found] == [
        ("KEY_REVOKED", None, 50),
        ("FORBIDDEN", "TEAMS_MANAGE", 50),
        ("FORBIDDEN", None, 50),
    ] * 2


async def test_refused_queries_count_once_for_each_permission(
    database: Database, ask: Ask, admin: Actor, refusals: Refusals
) -> None:
    ana = await add(database, "ana")
    before = len(await told(database))
    for _ in range(4):
        answer = await ask(
            actor_of(ana),
            '{ profiles { nodes { id } } customers { nodes { id } } user(id: "cus_1") { id } users { nodes { id } } }',
        )
        assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN", "FORBIDDEN", "INVALID_INPUT"]
    # What is hidden or not found is not refused.
    answer = await ask(actor_of(ana), '{ node(id: "cus_1") { id } user(id: "usr_1") { email } users { nodes { id } } }')
    assert "errors" not in answer
    assert len(await told(database)) == before
    await RefusalLog(database, refusals).write()
    found = [each for each in await entries(ask, admin, ana.id) if each["topic"] == "USER_REFUSED"]
    assert [(each["reason"], each["permission"], each["times"]) for each in found] == [
        ("FORBIDDEN", "DIRECTORY_READ", 4)
    ]


def test_refusals_of_more_users_than_are_counted_are_dropped() -> None:
    refusals = Refusals(2)
    for user_id in (1, 2, 3, 1):
        refusals.note(user_id, RefusalReason.KEY_REVOKED, key_id=user_id)
    first, second = (Refusal(user_id, RefusalReason.KEY_REVOKED) for user_id in (1, 2))
    assert refusals.take() == {first: Counted(2, 1), second: Counted(1, 2)}
    assert refusals.take() == {}
    refusals.note(1, RefusalReason.KEY_REVOKED, key_id=9)
    refusals.give_back({first: Counted(2, 1)})
    assert refusals.take()[first].times == 3


async def test_refusals_that_cannot_be_written_are_written_later(
    database: Database, admin: Actor, refusals: Refusals
) -> None:
    class Failing:
        def __init__(self, error: Exception) -> None:
            self._error = error

        async def command(self, *_: object) -> None:
            raise self._error

    for error in (Unavailable("Not now."), RuntimeError("a fault of ours")):
        refusals.note(admin.user_id, RefusalReason.KEY_EXPIRED)
        await RefusalLog(Failing(error), refusals).write()  # type: ignore[arg-type]
    # A process that ends writes what it has counted.
    async with refusing(database, refusals):
        await asyncio.sleep(0)
    (found,) = [each for each in await told(database) if each.topic == "user.refused"]
    assert (found.data["reason"], found.data["times"]) == ("KEY_EXPIRED", 2)


async def test_history_is_for_who_manages_users_and_for_oneself(
    database: Database, ask: Ask, admin: Actor, keys: KeyAuthenticator
) -> None:
    ana = await add(database, "ana", permissions=["directory:read"])
    _, secret = await database.command(service.create_api_key, admin, "Own", user=f"usr_{ana.id}")
    by_ana = await keys.actor_of(secret or "")
    assert by_ana is not None
    for user_id in (ana.id, admin.user_id):
        (seen,) = (await ask(by_ana, OF_USER, id=f"usr_{user_id}"))["data"].values()
        assert seen["history"] is None
        assert "history" in seen["hiddenFields"]
    own = (await ask(by_ana, OWN))["data"]["viewer"]["history"]
    assert own["totalCount"] == 2
    assert own["nodes"] == [
        {"topic": "API_KEY_CREATED", "actor": {"login": "admin"}, "apiKey": {"name": "Own"}},
        {"topic": "USER_CREATED", "actor": None, "apiKey": None},
    ]
    after = f'{{ viewer {{ history(first: 1, after: "{own["pageInfo"]["endCursor"]}") {{ nodes {{ id }} }} }} }}'
    assert (await ask(by_ana, after))["data"]["viewer"]["history"]["nodes"] == []


async def test_history_lasts_as_long_as_events_are_kept(
    database: Database, ask: Ask, admin: Actor, clock: ManualClock, settings: Settings
) -> None:
    def begin(work: Work) -> None:
        # The migration dates the first part by the real clock.
        if work.dialect_name == "postgresql":
            work.connection.execute(sa.text("UPDATE log_era SET began_at = :now"), {"now": work.now})

    await database.command(begin)
    ana = await add(database, "ana")
    # PostgreSQL forgets a whole part of the log at a time, an eighth of the retention.
    for _ in range(11):
        clock.advance((settings.event_retention / 8).total_seconds())
        await database.command(service.end_sessions, admin, user=f"usr_{ana.id}")
        for _ in range(2):
            await database.command(keep_partitions)
        while await database.command(forget_events):
            pass
    left = topics(await entries(ask, admin, ana.id))
    assert set(left) == {"USER_SESSIONS_ENDED"}
    assert 8 <= len(left) <= 10


async def test_history_of_a_user_is_read_by_an_index(database: Database) -> None:
    query = "SELECT * FROM user_history WHERE user_id = 1 ORDER BY position DESC LIMIT 20"

    def plan(work: Work) -> str:
        if work.dialect_name == "sqlite":
            return str(work.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all())
        # PostgreSQL would read all of a small log, and by any index of it.
        told = {"at": work.now, "topic": "user.updated", "data": "{}"}
        events = [{"lane": 0, "position": 10_000 + each, "assignee_id": each % 500, **told} for each in range(3_000)]
        work.connection.execute(sa.insert(event_log), events)
        work.connection.exec_driver_sql("ANALYZE event_log")
        return str(work.connection.exec_driver_sql(f"EXPLAIN {query}").all())

    found = await database.command(plan)
    assert "ix_event_log_user" in found or "event_log_0_user" in found, found
    assert "SCAN event_log" not in found
