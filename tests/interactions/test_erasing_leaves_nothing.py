"""After an erasure no byte of the files, and no column of any table, holds what the customer said."""

from pathlib import Path
from typing import Any

import pytest

from app.core.ids import GlobalId
from app.directory.model import CustomerSystem
from app.interactions.messages import MessageError, MessageErrorType, MessageStatus
from app.interactions.service.deliveries import report_message_status
from app.interactions.service.erasing import erase_customer, erasures, repeat_erasure
from app.interactions.service.messages import receive_message, send_message
from app.interactions.service.notes import add_note
from app.kinds.agent_session import service as agents
from app.kinds.chat_session.service.requests import request_chat_session
from app.kinds.chat_session.service.topics import create_chat_topic
from app.kinds.session import service as sessions
from app.storage.database import Work
from tests.interactions.conftest import House, cnv, msg, said
from tests.kinds.conftest import ADA, BO, store_customer

pytestmark = pytest.mark.anyio

MARK = "zyxmarker"
LABELS = """
mutation ($id: ID!, $label: String!) {
  addLabels(input: {id: $id, labels: [$label], clientMutationId: $label}) { errors { code } }
}
"""


COLUMNS = {
    "sqlite": "SELECT t.name, c.name FROM sqlite_master AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'",
    "postgresql": "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'",
}


async def speak(house: House) -> list[int]:
    """The mark in every field that a customer's words reach, in all kinds; the customers."""
    run = house.database.command

    def person(work: Work, /, system: CustomerSystem, key: str, **given: Any) -> int:
        return store_customer(
            work,
            system=system,
            customer_key=f"{MARK}{key}",
            name=f"{MARK} name",
            first_name=MARK,
            last_name=MARK,
            email=f"{MARK}@example.org",
            company_name=MARK,
            tags=(MARK,),
            **given,
        )

    # A conversation.
    posted = await house.hear(f"{MARK} hello", fields={"message_key": f"{MARK}1"}, idempotency_key=f"{MARK}-idem")
    sent = await run(send_message, BO, cnv(1), said(f"{MARK} back"), reference=msg(posted.message))
    error = MessageError(type=MessageErrorType.OTHER, original_message=f"{MARK} failed")
    await run(report_message_status, BO, msg(sent.message), MessageStatus.ERROR, error=error)
    await run(add_note, BO, cnv(1), f"{MARK} note", idempotency_key=f"{MARK}-note")
    answer = await house.graph.read(LABELS, ADA, id="cnv_1", label=MARK)
    assert answer["addLabels"]["errors"] == []
    # A Session, with its lists.
    first = await run(person, CustomerSystem.SESSION, "s", phone_number="+4799999999")
    heard = await run(receive_message, BO, {"kind": "session", "customer_id": first}, [said(f"{MARK} session")])
    changes: Any = {"tags": [MARK], "topics": [MARK]}
    await run(sessions.update, ADA, changes, ref=GlobalId("ses", heard.interaction))
    # A chat.
    topic = await run(create_chat_topic, ADA, {"name": "Support"})
    second = await run(person, CustomerSystem.CHAT_SESSION, "c")
    given = {"customer_name": MARK, "customer_alias": MARK, "customer_email": f"{MARK}@example.org"}
    await run(request_chat_session, BO, topic.topic_id, given, customer_id=second)
    # An AgentSession.
    agent = await run(agents.create_agent, ADA, {"name": "Agent"})
    third = await run(person, CustomerSystem.AGENT_SESSION, "a")
    metadata = f'{{"customer_id": "{MARK}a", "words": "{MARK}"}}'
    await run(agents.create, ADA, agent.agent_key, {"name": MARK, "metadata": metadata})
    return [house.desk.ana, first, second, third]


def holding(work: Work) -> list[str]:
    """The columns of text in which the mark is found."""
    found = []
    for table, column in work.connection.exec_driver_sql(COLUMNS[work.dialect_name]).all():
        sql = f'SELECT count(*) FROM "{table}" WHERE lower(CAST("{column}" AS text)) LIKE \'%{MARK}%\''
        if work.connection.exec_driver_sql(sql).scalar_one():
            found.append(f"{table}.{column}")
    return found


def files(database_url: str) -> list[str]:
    """The files of an SQLite database that hold the mark."""
    path = Path(database_url.removeprefix("sqlite:///"))
    return [each.name for each in path.parent.glob(f"{path.name}*") if MARK.encode() in each.read_bytes().lower()]


async def test_erasing_customers_leaves_nothing_of_them(house: House, database_url: str) -> None:
    customers = await speak(house)
    before = await house.database.command(holding)
    assert {"message.text", "message.words", "note.text", "event_log.data", "event_log.client_mutation_id"} <= {*before}
    assert {"customer.name", "session.tags", "agent_session.metadata", "chat_session.customer_name"} <= {*before}
    assert not any(name.startswith("idempotency_key") for name in before)
    if database_url.startswith("sqlite"):
        assert files(database_url) != []
    for each in customers:
        await house.database.command(erase_customer, ADA, f"cus_{each}")
    await house.erase()
    assert await house.database.command(holding) == []
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
