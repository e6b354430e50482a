import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.actor import Actor
from app.demo.loading import Loaded
from app.directory.tables import app_user, customer, profile
from app.interactions.reads.search import Question, question_of, speaks_of
from app.interactions.service.messages import receive_message
from app.interactions.tables import interaction, interaction_tag, message, message_error, note
from app.kinds.agent_session.tables import agent_session, ai_agent
from app.kinds.chat_session.tables import chat_session, chat_topic, chat_topic_member
from app.kinds.conversation.tables import channel_agent, conversation
from app.kinds.session.tables import session
from app.settings import Settings
from app.storage.database import Database, Work, open_database
from app.storage.event_log import event_log
from benchmarks.bulk.loading import load_bulk
from tests.conftest import CountingIds, ManualClock
from tests.demo.structure import require_valid, rows
from tests.postgres import Copies

pytestmark = pytest.mark.anyio

COUNT = 300
MESSAGES = 2902
_TABLES = (
    *(app_user, profile, customer, ai_agent, channel_agent, chat_topic, chat_topic_member, interaction, session),
    *(agent_session, chat_session, conversation, interaction_tag, message, message_error, note),
)


def _count(work: Work, table: sa.Table) -> int:
    return work.connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


async def test_a_bulk_of_interactions_is_as_commands_would_have_made_it(database: Database) -> None:
    told: list[tuple[int, int]] = []

    loaded = await load_bulk(database, COUNT, lambda done, of: told.append((done, of)))

    assert loaded == Loaded(COUNT, MESSAGES)
    assert told == [(COUNT, COUNT)]
    await database.command(require_valid)


async def test_its_mix(database: Database) -> None:
    await load_bulk(database, COUNT)

    def read(work: Work) -> None:
        assert {table.name: _count(work, table) for table in _TABLES[:7]} == {
            "app_user": 50,
            "profile": 37,
            "customer": 37 + 25 + 25 + 18,
            "ai_agent": 20,
            "channel_agent": 10,
            "chat_topic": 8,
            "chat_topic_member": 50,
        }
        found = rows(work, interaction)
        kinds = ("session", "agent_session", "chat_session", "conversation")
        assert [row["kind"] for row in found] == list(kinds) * 75
        assert sum(row["state"] == "CLOSED" for row in found) == 252
        assert sum(row["attention_level"] is not None for row in found) == 12
        of = Counter(row["interaction_id"] for row in rows(work, message))
        assert (len(of), min(of.values()), max(of.values())) == (COUNT, 1, 39)

    await database.command(read)


async def test_its_events_are_those_of_new_interactions(database: Database) -> None:
    await load_bulk(database, COUNT)

    def read(work: Work) -> None:
        told = rows(work, event_log, "interaction_id", "lane", "position")
        created = [row for row in told if row["topic"] != "attention.raised"]
        assert [row["interaction_id"] for row in created] == list(range(1, COUNT + 1))
        assert {row["topic"] for row in created} == {f"{row['kind']}.created" for row in created}
        raised = {row["interaction_id"]: row["level_after"] for row in told if row["topic"] == "attention.raised"}
        needing = [row for row in rows(work, interaction) if row["attention_level"] is not None]
        assert raised == {row["id"]: row["attention_level"] for row in needing}

    await database.command(read)


async def test_its_messages_are_found_by_their_words(database: Database) -> None:
    await load_bulk(database, COUNT)

    def read(work: Work) -> tuple[set[int], set[int]]:
        question = sa.bindparam(None, question_of("LEVERINGSADRESSEN pa ord"), type_=Question())
        found = sa.select(message.c.id).where(speaks_of(message.c.id, message.c.words, question))
        meant = {row["id"] for row in rows(work, message) if "leveringsadressen" in (row["text"] or "")}
        return set(work.connection.execute(found).scalars()), meant

    found, meant = await database.command(read)
    assert found == meant
    assert len(meant) == 21


async def test_life_goes_on_after_it(database: Database) -> None:
    await load_bulk(database, COUNT)
    gateway = Actor(user_id=0, name="Gateway", is_admin=True)

    def go_on(work: Work) -> tuple[int, int]:
        chat = work.connection.execute(sa.select(sa.func.max(chat_session.c.chat_session_id))).scalar_one()
        assert chat == 75
        target = {"kind": "session", "customer_id": 37 + 25 + 25 + 1}
        return receive_message(work, gateway, target, [{"type": "text", "content": "hello again"}])

    number, said = await database.command(go_on)
    assert (number, said) == (COUNT + 1, MESSAGES + 1)


async def test_another_bulk_is_added(database: Database, clock: ManualClock) -> None:
    await load_bulk(database, 40)
    clock.advance(1)

    await load_bulk(database, 40)

    await database.command(require_valid)
    assert await database.command(_count, interaction) == 80
    assert await database.command(_count, app_user) == 100


@pytest.fixture
def one_of_each(sqlite_template: Path, postgres_copies: Copies, tmp_path: Path) -> Iterator[tuple[str, str]]:
    path = tmp_path / "same.db"
    shutil.copyfile(sqlite_template, path)
    with postgres_copies.fresh() as url:
        yield f"sqlite:///{path}", url


async def test_the_same_seed_makes_the_same_rows_on_both_databases(
    one_of_each: tuple[str, str], settings: Settings, kinds: Mapping[str, Any]
) -> None:
    found = []
    for url in one_of_each:
        database = await open_database(url, clock=ManualClock(), ids=CountingIds(), settings=settings, kinds=kinds)
        await load_bulk(database, COUNT)
        found.append(await database.command(lambda work: {table.name: rows(work, table) for table in _TABLES}))
        await database.close()

    for table in _TABLES:
        assert found[0][table.name] == found[1][table.name], table.name
        assert found[0][table.name], table.name
