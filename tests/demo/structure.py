"""What holds for any demo data: named rows exist, counts count, and every interaction is as its rules make it."""

from collections import Counter
from typing import Any

import sqlalchemy as sa

from app.interactions.service.change import settle
from app.interactions.tables import interaction, interaction_tag, message, message_error, note
from app.kinds.agent_session.repository import AgentSessionRepository
from app.kinds.chat_session.repository import ChatSessionRepository
from app.kinds.conversation.repository import ConversationRepository
from app.kinds.session.repository import SessionRepository
from app.storage.work import Work

REPOSITORIES: dict[str, Any] = {
    "session": SessionRepository,
    "agent_session": AgentSessionRepository,
    "chat_session": ChatSessionRepository,
    "conversation": ConversationRepository,
}


def rows(work: Work, table: sa.Table, *order: str) -> list[dict[str, Any]]:
    """All rows of a table by its primary key."""
    keys = [table.c[name] for name in order] or list(table.primary_key.columns)
    return [dict(row._mapping) for row in work.connection.execute(sa.select(table).order_by(*keys))]


def require_valid(work: Work) -> None:
    """Fail for the first row that could not have come to be by commands."""
    messages: dict[int, list[dict[str, Any]]] = {}
    for one in rows(work, message, "sent_at", "id"):
        messages.setdefault(one["interaction_id"], []).append(one)
    latest_notes = {one["interaction_id"]: one["id"] for one in rows(work, note, "created_at", "id")}
    errors = {one["message_id"]: one["id"] for one in rows(work, message_error)}
    tags = Counter((one["interaction_id"], one["name"]) for one in rows(work, interaction_tag))
    expected: Counter[tuple[int, str]] = Counter()
    for row in rows(work, interaction):
        found = work.use(REPOSITORIES[row["kind"]]).load(row["id"])
        assert settle(work, work.kinds[row["kind"]], found) is found, found
        of_row = messages.get(row["id"], [])
        of_customer = [one for one in of_row if one["author"] == "CUSTOMER"]
        assert row["latest_message_id"] == (of_row[-1]["id"] if of_row else None)
        assert row["latest_customer_message_id"] == (of_customer[-1]["id"] if of_customer else None)
        assert row["last_message_at"] == (of_row[-1]["sent_at"] if of_row else None)
        assert row["unread_customer_messages_count"] == sum(one["status"] != "READ" for one in of_customer)
        assert row["latest_note_id"] == latest_notes.get(row["id"])
        assert row["created_at"] <= row["updated_at"] <= work.now
        assert all(row["created_at"] <= one["sent_at"] <= work.now for one in of_row)
        assert all(one["kind"] == row["kind"] for one in of_row)
        for one in of_row:
            assert (one["status"] == "ERROR") == (one["latest_error_id"] is not None)
            assert one["latest_error_id"] == errors.get(one["id"])
            same = [other["id"] for other in of_row]
            assert one["reference_id"] is None or one["reference_id"] in same
        for name, field in (("label", "labels"), ("tag", "tags"), ("topic", "topics")):
            values = getattr(found, field, ())
            assert len(values) == len(set(values))
            if values:
                expected[row["id"], name] = len(values)
    assert tags == expected
    if work.dialect_name == "sqlite":
        assert work.connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
