"""The migration that computes since when customers wait, on rows as they were stored before it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.storage.migrations import migrate
from tests.storage.test_migrations import on

pytestmark = pytest.mark.anyio

THEN = datetime(2026, 1, 5, 9, tzinfo=UTC)
FAR = 45_000
"""A surrogate that is some steps of the migration away from the first one."""

WAITS, ANSWERED, FAILED, CLOSED, BOT, QUEUED = 1, 2, 3, 4, FAR, FAR + 1
STORED: dict[int, tuple[str, str, bool, list[tuple[str, str]]]] = {
    WAITS: ("conversation", "OPEN", False, [("USER", "SENT"), ("CUSTOMER", "READ"), ("CUSTOMER", "DELIVERED")]),
    ANSWERED: ("conversation", "OPEN", False, [("CUSTOMER", "READ"), ("USER", "SENT")]),
    FAILED: ("conversation", "OPEN", False, [("USER", "SENT"), ("CUSTOMER", "READ"), ("USER", "ERROR")]),
    CLOSED: ("conversation", "CLOSED", False, [("CUSTOMER", "READ")]),
    BOT: ("agent_session", "OPEN", True, [("CUSTOMER", "READ"), ("AI_AGENT", "CREATED")]),
    QUEUED: ("chat_session", "OPEN", False, [("CUSTOMER", "DELIVERED"), ("BOT", "CREATED")]),
}


def fill(connection: sa.Connection) -> None:
    """Store interactions with their messages, as revision 0012 keeps them."""
    is_sqlite = connection.dialect.name == "sqlite"
    metadata = sa.MetaData()
    for name in ("interaction", "message"):
        sa.Table(name, metadata, autoload_with=connection, resolve_fks=False)
    interaction, message = metadata.tables["interaction"], metadata.tables["message"]

    def at(moment: datetime) -> Any:
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if is_sqlite else moment

    for key, (kind, state, bot_active, messages) in STORED.items():
        reasons = ["RAISED", "UNREAD"] if key == WAITS else []
        connection.execute(
            sa.insert(interaction).values(
                id=key,
                kind=kind,
                state=state,
                bot_active=bot_active,
                labels="[]" if is_sqlite else [],
                attention_level=2 if reasons else None,
                attention_reason="UNREAD" if reasons else None,
                attention_reasons='["RAISED","UNREAD"]' if is_sqlite and reasons else "[]" if is_sqlite else reasons,
                version=1,
                created_at=at(THEN),
                updated_at=at(THEN),
                unread_customer_messages_count=0,
            )
        )
        for place, (author, status) in enumerate(messages):
            connection.execute(
                sa.insert(message).values(
                    id=key * 10 + place,
                    interaction_id=key,
                    kind=kind,
                    message_key=f"{key}-{place}",
                    author=author,
                    source="USER",
                    contents="[]" if is_sqlite else [],
                    text="我想要退款",
                    words="我想要退款",
                    status=status,
                    # The sender's clock goes the other way than the order of arrival.
                    sent_at=at(THEN - timedelta(minutes=place)),
                    created_at=at(THEN + timedelta(minutes=place)),
                    updated_at=at(THEN + timedelta(minutes=place)),
                )
            )


async def test_migration_computes_the_wait_of_stored_interactions(empty_database_url: str) -> None:
    await migrate(empty_database_url, "0012")
    await on(empty_database_url, fill)
    await migrate(empty_database_url)

    def read(connection: sa.Connection) -> dict[int, tuple[Any, ...]]:
        rows = connection.exec_driver_sql(
            "SELECT id, waiting_since, unanswered_messages_count, answer_failed, settled_message_id, "
            "attention_reason, CAST(attention_reasons AS text), due_at FROM interaction"
        )
        return {
            row[0]: (str(row[1])[11:16] if row[1] else None, row[2], bool(row[3]), *row[4:7], row[7]) for row in rows
        }

    found = await on(empty_database_url, read)
    assert {key: values[:4] for key, values in found.items()} == {
        WAITS: ("09:01", 2, False, None),
        ANSWERED: (None, 0, False, None),
        FAILED: ("09:01", 1, True, None),
        CLOSED: (None, 0, False, CLOSED * 10),
        BOT: (None, 0, False, None),
        QUEUED: ("09:00", 1, False, None),
    }
    assert found[WAITS][4] == "CUSTOMER_WAITING"
    assert found[WAITS][5].replace(" ", "") == '["RAISED","CUSTOMER_WAITING"]'
    # What is open is looked at again at the first start.
    assert {key for key, values in found.items() if values[6] is not None} == set(STORED) - {CLOSED}
