"""After an erasure no byte of the files, and no column of any table, holds what the customer said."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.ids import GlobalId
from app.directory.service import create_profile, delete_profile, link_customer
from app.interactions.messages import MessageError, MessageErrorType, MessageStatus
from app.interactions.service.deliveries import delete_message, report_message_status
from app.interactions.service.erasing import erase_customer, erasures, repeat_erasure
from app.interactions.service.messages import receive_message, send_message
from app.interactions.service.notes import add_note
from app.interactions.service.state import raise_attention
from app.kinds.agent_session import service as agents
from app.kinds.chat_session.service.requests import request_chat_session
from app.kinds.chat_session.service.topics import create_chat_topic
from app.kinds.session import service as sessions
from app.kinds.session.model import Suggestion
from app.storage.database import Work
from app.storage.tables import JsonText, JsonValue, metadata
from tests.interactions.conftest import House, cnv, msg, said
from tests.kinds.conftest import ADA, BO, store_customer
from tests.storage.event_log.turning import begin_era

pytestmark = pytest.mark.anyio

MARK = "zyxmarker"
DIGITS = "91726354"
TRACES = (MARK, DIGITS, DIGITS[::-1])
"""What is searched for: a word, and the digits of a telephone number, which are found from their end, too."""

LABELS = """
mutation ($id: ID!, $label: String!) {
  addLabels(input: {id: $id, labels: [$label], clientMutationId: $label}) { errors { code } }
}
"""


COLUMNS = {
    "sqlite": "SELECT t.name, c.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'",
    "postgresql": "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'",
}
OF_CUSTOMERS = (
    *("customer", "customer_word", "profile", "profile_word", "interaction", "interaction_tag", "message"),
    *("message_error", "note", "session", "suggested_message", "agent_session", "chat_session"),
)
"""The tables in which customers and their interactions lie."""

WORDLESS = {
    "customer": {"channel", "country_code", "system", "time_zone"},
    "profile": {"date_of_birth", "gender", "salutation"},
    "interaction": {"account", "attention_reason", "attention_reasons", "channel", "kind", "state", "status"}
    | {"sync_trouble"},
    "interaction_tag": {"name"},
    "message": {"author", "bearing", "channel_key", "event_type", "kind", "message_type", "source", "special_type"}
    | {"agent_reaction", "customer_reaction", "status"},
    "message_error": {"type"},
    "note": {"kind"},
    "session": {"session_key"},
    "suggested_message": {"content_type", "suggestion_key"},
    "agent_session": {"created_by_agent_key", "created_by_session_key", "alias_key", "current_step_name"}
    | {"effective_compaction", "session_context_usage", "status"},
    "chat_session": {"session_key_digest", "status"},
}
"""The columns of text that hold words of ours, or what no customer and no client can write."""


async def speak(house: House) -> tuple[list[int], int]:
    """The mark in every field that a customer's words reach, in all kinds; the customers, and the profile of one."""
    run = house.database.command

    def person(work: Work, /, system: str, key: str, **given: Any) -> int:
        return store_customer(
            work,
            system=system,
            customer_key=f"{MARK}{key}",
            name=f"{MARK} name",
            first_name=MARK,
            last_name=MARK,
            email=f"{MARK}@example.org",
            company_name=MARK,
            display_id=f"{MARK}{key}",
            phone_number=f"+47{DIGITS}",
            tags=(MARK,),
            **given,
        )

    # A conversation.
    fields = {"message_key": f"{MARK}1", "campaign_name": MARK, "special_param": MARK, "author_name": MARK}
    posted = await house.hear(f"{MARK} hello {DIGITS}", fields=fields, idempotency_key=f"{MARK}-idem")
    sent = await run(send_message, BO, cnv(1), said(f"{MARK} back"), reference=msg(posted.message))
    error = MessageError(type=MessageErrorType.OTHER, original_message=f"{MARK} failed")
    await run(report_message_status, BO, msg(sent.message), MessageStatus.ERROR, error=error)
    await run(add_note, BO, cnv(1), f"{MARK} note", idempotency_key=f"{MARK}-note")
    await run(raise_attention, BO, cnv(1), note=f"{MARK} raised")
    single = await run(send_message, BO, cnv(1), said(MARK), fields={"message_key": f"{MARK}2"})
    await run(delete_message, BO, msg(single.message))
    # Two events with its words, in two partitions of the log.
    for label in (MARK, f"{MARK}2"):
        await begin_era(house.database)
        answer = await house.graph.read(LABELS, ADA, id="cnv_1", label=label)
        assert answer["addLabels"]["errors"] == []
    # A Session, with its lists.
    address = {"street": MARK}
    more = {"billing_address": address, "shipping_address": address, "card": {"holder": MARK}}
    first = await run(person, "SESSION", "s", unconfirmed_phone_number=f"+47{DIGITS}", **more)
    heard = await run(receive_message, BO, {"kind": "session", "customer_id": first}, [said(f"{MARK} session")])
    changes: Any = {"tags": [MARK], "topics": [MARK], "suggested_messages": [Suggestion(remote_id=MARK, content=MARK)]}
    await run(sessions.update, ADA, changes, ref=GlobalId("ses", heard.interaction))
    # A chat.
    topic = await run(create_chat_topic, ADA, {"name": "Support"})
    second = await run(person, "CHAT_SESSION", "c")
    chat = await run(request_chat_session, BO, topic.topic_id, ABOUT, customer_id=second)
    await run(receive_message, BO, {"interaction": GlobalId("chs", chat.id)}, [said(MARK)])
    # An AgentSession.
    agent = await run(agents.create_agent, ADA, {"name": "Agent"})
    third = await run(person, "AGENT_SESSION", "a")
    metadata = f'{{"customer_id": "{MARK}a", "words": "{MARK}"}}'
    given: Any = {"name": MARK, "description": MARK, "metadata": metadata, "secrets": {MARK: "hidden"}}
    await run(agents.create, ADA, agent.agent_key, given, agent_session_key=MARK)
    # The person behind them.
    words: Any = dict.fromkeys(("name", "address", *(f"custom_{number}" for number in range(1, 6))), MARK)
    words |= {"email": f"{MARK}@example.org", "phone_number": f"+47{DIGITS}"}
    profile = await run(create_profile, ADA, words, idempotency_key=f"{MARK}-profile")
    await run(link_customer, ADA, f"cus_{first}", f"prf_{profile.id}")
    return [house.desk.ana, first, second, third], profile.id


ABOUT: dict[str, Any] = {
    **dict.fromkeys(("customer_name", "customer_alias", "customer_host", "customer_company_name"), MARK),
    "customer_email": f"{MARK}@example.org",
    "customer_phone": DIGITS,
    "person": {"person_id": 1, "firstname": MARK},
    "contact": {"contact_id": 1, "name": MARK},
    "project": {"project_id": 1, "name": MARK},
    "sale": {"sale_id": 1, "title": MARK},
    "ticket": {"ticket_id": 1, "title": MARK},
}
"""What a customer says of itself, and what the chat is about."""


def holding(work: Work) -> set[str]:
    """The columns in which a trace is found."""
    columns: dict[str, list[str]] = {}
    for table, column in work.connection.exec_driver_sql(COLUMNS[work.dialect_name]).all():
        columns.setdefault(table, []).append(column)
    found = set()
    for table, names in columns.items():
        tests = ", ".join(f"max(CASE WHEN {_traced(name)} THEN 1 ELSE 0 END)" for name in names)
        row = work.connection.exec_driver_sql(f'SELECT {tests} FROM "{table}"').one()
        found |= {f"{table}.{name}" for name, traced in zip(names, row, strict=True) if traced}
    return found


def _traced(column: str) -> str:
    text = f'lower(CAST("{column}" AS text))'
    return " OR ".join(f"{text} LIKE '%{trace}%'" for trace in TRACES)


def columns_of_text() -> set[str]:
    """The columns that can hold what customers and clients write."""
    kinds = (sa.Text, JsonText, JsonValue)
    return {
        f"{table}.{column.name}"
        for table in OF_CUSTOMERS
        for column in metadata.tables[table].columns
        if isinstance(column.type, kinds) and column.name not in WORDLESS.get(table, ())
    }


def files(database_url: str) -> list[str]:
    """The files of an SQLite database that hold a trace: itself, its write-ahead log, its journal."""
    path = Path(database_url.removeprefix("sqlite:///"))
    traces = [trace.encode() for trace in TRACES]
    return [
        each.name
        for each in path.parent.glob(f"{path.name}*")
        if any(trace in each.read_bytes().lower() for trace in traces)
    ]


async def test_erasing_customers_leaves_nothing_of_them(house: House, database_url: str) -> None:
    customers, profile = await speak(house)
    before = await house.database.command(holding)
    assert columns_of_text() <= before
    assert {"event_log.data", "event_log.client_mutation_id"} <= before
    if database_url.startswith("postgres"):
        assert {"event_log_1.data", "event_log_2.data"} <= before
    assert not any(name.startswith(("idempotency_key", "deleted_message")) for name in before)
    if database_url.startswith("sqlite"):
        assert any(name.startswith("message_search") for name in before)
        assert files(database_url) != []
    await house.database.command(delete_profile, ADA, f"prf_{profile}")
    for each in customers:
        await house.database.command(erase_customer, ADA, f"cus_{each}")
    await house.erase()
    assert await house.database.command(holding) == set()
    if database_url.startswith("sqlite"):
        assert files(database_url) == []
    logged = await house.database.command(erasures)
    assert [each.customer_id for each in logged] == sorted(customers)
    assert all(each.finished_at is not None for each in logged)


async def test_erasure_is_repeated_for_the_same_person_alone(house: House) -> None:
    await house.hear()
    ana = f"cus_{house.desk.ana}"
    await house.database.command(erase_customer, ADA, ana)
    (done,) = await house.database.command(erasures)
    other = done._replace(customer_id=house.sam, customer_created_at=house.clock.now.replace(year=2020))
    assert await house.database.command(repeat_erasure, done) is False
    assert await house.database.command(repeat_erasure, other) is False
    assert await house.graph.read(f'{{ node(id: "cus_{house.sam}") {{ id }} }}', ADA) == {
        "node": {"id": f"cus_{house.sam}"}
    }
    restored = other._replace(customer_created_at=done.customer_created_at)
    assert await house.database.command(repeat_erasure, restored) is True
    assert await house.graph.read(f'{{ node(id: "cus_{house.sam}") {{ id }} }}', ADA) == {"node": None}
    assert len(await house.database.command(erasures)) == 3
