"""The pepper and the bootstrap key: changed, mistaken, lost, ended; and what a revoked one can never do again."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from app.core.actor import Actor
from app.core.errors import Unavailable
from app.directory import authenticator, service
from app.directory.authenticator import KeyAuthenticator
from app.directory.model import ApiKey, new_token, pepper, prefix_of
from app.directory.model.pepper import fingerprint
from app.directory.repository import ApiKeyRepository
from app.settings import Settings
from app.storage.database import Database, Work, open_database
from app.storage.engines import ConfigurationError
from tests.conftest import CountingIds, ManualClock
from tests.directory.conftest import PERMISSIONS, told
from tests.sharing import FINGERPRINT_COST

pytestmark = pytest.mark.anyio

OLD, NEW, THIRD = "the old pepper of ours", "the new pepper of ours", "a third pepper of ours"
CHOSEN = ("a bootstrap key of my own", new_token())
IDS = ("of another form", "of our form")  # the same in every process of a run


def peppered(pepper: str | None, *previous: str) -> Settings:
    return Settings(
        key_pepper=None if pepper is None else SecretStr(pepper),
        key_pepper_previous=tuple(SecretStr(each) for each in previous),
    )


class DatabaseOf(Database):
    """The test's database as a process with settings of its own has it."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.__dict__.update(vars(database))
        self.settings = settings

    async def command(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        def run(work: Work) -> Any:
            work.settings = self.settings
            return f(work, *args, **kwargs)

        return await super().command(run)


class Process:
    """A process with settings of its own over the test's database."""

    def __init__(self, database: Database, settings: Settings, clock: ManualClock) -> None:
        self.database = DatabaseOf(database, settings)
        self.keys = KeyAuthenticator(self.database, settings, clock, PERMISSIONS)

    async def do(self, f: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        return await self.database.command(f, *arguments, **named)

    async def lets_in(self, key: str) -> bool:
        return await self.keys.actor_of(key) is not None


Start = Callable[..., Process]


@pytest.fixture
def start(database_url: str, clock: ManualClock, database: Database) -> Start:
    """Makes a process with this pepper and these former ones."""

    def make(pepper: str | None, *previous: str) -> Process:
        return Process(database, peppered(pepper, *previous), clock)

    return make


async def stored_keys(database: Database) -> list[ApiKey]:
    return await database.command(lambda work: list(work.use(ApiKeyRepository).list_of(1)))


async def own_key(process: Process, *, started: bool = False) -> str:
    """One more key of the first admin, made by a process that starts or that was `started` before."""
    if not started:
        await process.do(service.bootstrap, None)
    _, secret = await process.do(service.create_api_key, Actor(user_id=1, name="Admin", is_admin=True), "k")
    return str(secret)


@pytest.mark.parametrize("key", CHOSEN, ids=IDS)
async def test_revoked_bootstrap_key_stays_revoked_whatever_the_pepper(
    start: Start, database: Database, key: str
) -> None:
    first = start(OLD)
    admin, _ = await first.do(service.bootstrap, key)
    acting = Actor(user_id=admin.id, name=admin.name, is_admin=True)
    await first.do(service.revoke_api_key, acting, "key_1")
    before = len(await told(database))
    for process in (first, start(NEW, OLD), start(OLD, NEW), start(NEW, OLD)):
        assert await process.do(service.bootstrap, key) == (admin, None)
        assert not await process.lets_in(key)
    for process in (start(NEW), start(THIRD)):
        assert await process.do(service.end_peppers, lost=True) == 0
        assert await process.do(service.bootstrap, key) == (admin, None)
        assert not await process.lets_in(key)
    assert [stored.revoked_at is None for stored in await stored_keys(database)] == [False]
    assert len(await told(database)) == before


@pytest.mark.parametrize("key", CHOSEN, ids=IDS)
async def test_bootstrap_key_survives_a_change_of_the_pepper(start: Start, database: Database, key: str) -> None:
    await start(OLD).do(service.bootstrap, key)
    process = start(NEW, OLD)
    assert (await process.do(service.bootstrap, key))[1] is None
    assert await process.lets_in(key)
    assert await process.do(service.end_peppers) == 0
    assert await start(NEW).lets_in(key)
    assert len(await stored_keys(database)) == 1


@pytest.mark.parametrize("key", [*CHOSEN, None], ids=[*IDS, "none"])
@pytest.mark.parametrize(
    ("former", "now", "says"),
    [
        (OLD, NEW, "SWITCHBOARD_KEY_PEPPER is another pepper, "),
        (OLD, None, "SWITCHBOARD_KEY_PEPPER is not set, "),
    ],
)
async def test_wrong_pepper_stops_the_start_and_changes_nothing(
    start: Start, database: Database, key: str | None, former: str, now: str | None, says: str
) -> None:
    await start(former).do(service.bootstrap, key)
    before = await stored_keys(database), len(await told(database))
    with pytest.raises(ConfigurationError) as refused:
        await start(now).do(service.bootstrap, key)
    assert str(refused.value).startswith(says)
    assert "SWITCHBOARD_KEY_PEPPER_PREVIOUS" in str(refused.value)
    assert "pepper end --lost" in str(refused.value)
    assert not any(pepper in str(refused.value) for pepper in (OLD, NEW))
    assert (await stored_keys(database), len(await told(database))) == before
    assert (await start(former).do(service.bootstrap, key))[1] is None


async def test_wrong_pepper_stops_the_command_line_too(start: Start, database: Database) -> None:
    await start(OLD).do(service.bootstrap, None)
    with pytest.raises(ConfigurationError):
        await start(NEW).do(service.local_key, None, "k")
    with pytest.raises(ConfigurationError):
        await start(NEW).do(service.end_peppers)
    assert len(await stored_keys(database)) == 1


@pytest.mark.parametrize("former", [OLD, None])
async def test_keys_are_digested_anew_at_their_next_use(
    start: Start, database: Database, clock: ManualClock, former: str | None
) -> None:
    first = start(former)
    used, unused = await own_key(first), await own_key(first)
    # What the database has kept for itself is at hand without being given.
    process = start(NEW, *([former] if former else []))
    await process.do(service.bootstrap, None)
    before = await stored_keys(database)
    for _ in range(2):
        assert await process.lets_in(used)
    assert not await process.lets_in(wrong(used))
    after = await stored_keys(database)
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]
    assert await process.do(service.end_peppers) == 2
    alone = start(NEW)
    assert await alone.lets_in(used)
    assert not await alone.lets_in(unused)
    assert not await start(NEW, *([former] if former else [])).lets_in(unused)
    with pytest.raises(ConfigurationError, match="was ended"):
        await start(former, NEW).do(service.bootstrap, None)


async def test_access_token_of_a_key_with_a_former_pepper_is_taken(start: Start) -> None:
    key = await own_key(start(OLD))
    process = start(NEW, OLD)
    await process.do(service.bootstrap, None)
    issued = await process.keys.access_token(key.split("_")[1], key)
    assert issued is not None
    assert await process.lets_in(issued.token)


async def test_process_with_a_former_pepper_says_so(start: Start, clock: ManualClock) -> None:
    running = start(OLD)
    key = await own_key(running)
    assert await running.lets_in(key)
    assert await running.keys.fault() is None
    await start(NEW, OLD).do(service.bootstrap, None)
    clock.advance(1)
    assert "restarted" in str(await running.keys.fault())
    # Nobody can tell from the answer whether a prefix is known.
    for text in (new_token(), wrong(key), "a key that somebody chose"):
        with pytest.raises(Unavailable):
            await running.keys.actor_of(text)
        with pytest.raises(Unavailable):
            await running.keys.access_token(text[4:12], text)
    await start(NEW).do(service.end_peppers)
    with pytest.raises(Unavailable):
        await own_key(running, started=True)


async def test_process_that_was_given_the_new_pepper_before_goes_on(start: Start, clock: ManualClock) -> None:
    running = start(OLD, NEW)
    key = await own_key(running)
    process = start(NEW, OLD)
    await process.do(service.bootstrap, None)
    assert await process.lets_in(key)
    clock.advance(1)
    assert await running.keys.fault() is None
    assert await running.lets_in(key)
    await process.do(service.end_peppers)
    assert await running.lets_in(key)
    made = await own_key(running, started=True)
    assert await running.lets_in(made)
    assert await start(NEW).lets_in(made)


async def test_lost_pepper_is_replaced_by_revoking_every_key(start: Start, database: Database) -> None:
    key = await own_key(start(OLD))
    process = start(NEW)
    assert await process.do(service.end_peppers, lost=True) == 2
    assert all(stored.revoked_at is not None for stored in await stored_keys(database))
    assert not await process.lets_in(key)
    assert await process.lets_in(await process.do(service.local_key, None, "again"))
    with pytest.raises(ConfigurationError):
        await start(OLD).do(service.bootstrap, None)


@pytest.mark.parametrize("key", CHOSEN, ids=IDS)
async def test_bootstrap_key_from_before_it_was_remembered_is_known(start: Start, database: Database, key: str) -> None:
    await start(OLD).do(service.bootstrap, key)

    def forget(work: Work) -> None:
        for statement in ("DELETE FROM bootstrap_key", "UPDATE api_key SET pepper_id = NULL", "DELETE FROM key_pepper"):
            work.connection.execute(sa.text(statement))

    await database.command(forget)
    assert (await start(OLD).do(service.bootstrap, key))[1] is None
    assert (await start(NEW, OLD).do(service.bootstrap, key))[1] is None
    (stored,) = await stored_keys(database)
    assert stored.pepper_id is not None


async def test_key_under_an_unknown_pepper_is_not_made_the_bootstrap_key(start: Start, database: Database) -> None:
    key = await own_key(start(OLD))
    process = start(NEW)
    await process.do(service.end_peppers, lost=True)
    with pytest.raises(ConfigurationError, match="SWITCHBOARD_BOOTSTRAP_KEY is an API key of this database"):
        await process.do(service.bootstrap, key)
    assert len(await stored_keys(database)) == 2


async def test_nothing_stored_shows_a_pepper_or_a_bootstrap_key(start: Start, database: Database) -> None:
    await start(OLD).do(service.bootstrap, CHOSEN[0])
    await start(NEW, OLD).do(service.bootstrap, CHOSEN[0])

    def everything(work: Work) -> str:
        tables = ("api_key", "key_pepper", "bootstrap_key", "directory_secret")
        return repr([work.connection.execute(sa.text(f"SELECT * FROM {table}")).all() for table in tables])

    stored = await database.command(everything)
    assert not [secret for secret in (OLD, NEW, CHOSEN[0]) if secret in stored]
    assert fingerprint(OLD, "salt") != fingerprint(OLD, "other salt")


def test_fingerprint_is_slow_and_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another one would not know again what is stored, and a cheaper one would be guessed."""
    monkeypatch.setattr(pepper, "COST", FINGERPRINT_COST)
    assert fingerprint.__wrapped__(OLD, "salt") == (
        "c4633c4912cb8ba754c3d42dca642cda9bc5fa5d3501778a706e51f5d0fcd790"
        "4271018984f1a2b6fc619676fa88a7e70effcaa084d558ffb7ae54b49d1d4965"
    )


@pytest.mark.parametrize("previous", [(), (OLD,), (OLD, THIRD)])
async def test_unknown_and_known_prefixes_cost_the_same(
    database_url: str,
    clock: ManualClock,
    ids: CountingIds,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    previous: tuple[str, ...],
) -> None:
    key = await own_key(start(NEW, *previous))
    chosen = "a bootstrap key of my own"
    await start(NEW, *previous).do(service.bootstrap, chosen)
    work: list[str] = []
    for name in ("digest_of", "prefix_of", "sealed_token"):
        monkeypatch.setattr(f"app.directory.authenticator.{name}", counted(work, name))
    monkeypatch.setattr("app.directory.authenticator.hmac.compare_digest", lambda _a, _b: work.append("compare"))
    opened = await open_database(database_url, clock=clock, ids=ids, settings=Settings(), observer=work.append)
    try:
        keys = KeyAuthenticator(opened, peppered(NEW, *previous), clock, PERMISSIONS)
        await keys.actor_of(new_token())  # it reads the peppers once
        found = []
        for text in (wrong(key), new_token(), "some key that nobody has chosen"):
            work.clear()
            assert await keys.actor_of(text) is None
            found.append(list(work))
        assert found[0] == found[1]
        held = 2 + len(previous)  # with the one that the database has kept
        assert [each.count("compare") for each in found] == [held] * 3
        assert [sum(step.startswith("SELECT") for step in each) for each in found] == [1, 1, held]
        # An access token for a key that is there, with another seal, and one for none.
        for text in (key, new_token()):
            work.clear()
            named = f"{prefix_of(text, '')}_{int(clock().timestamp()) + 600}"
            assert await keys.actor_of(f"swt_{named}_{'0' * 64}") is None
            found.append(list(work))
        assert found[3] == found[4]
        assert [found[3].count(step) for step in ("sealed_token", "compare")] == [held, held]
    finally:
        await opened.close()


def wrong(key: str) -> str:
    """A key with the same prefix and another secret."""
    return key[:-1] + ("A" if key[-1] != "A" else "B")


def counted(work: list[str], name: str) -> Callable[..., Any]:
    """The function of this name, which notes each call."""
    real = getattr(authenticator, name)

    def run(*arguments: Any) -> Any:
        work.append(name)
        return real(*arguments)

    return run
