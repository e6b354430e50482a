from app.core.actor import Actor
from app.kinds.chat_session.model.rights import READ_ONLY, field_properties, table_right

WRITER = Actor(user_id=5, name="Wil", permissions=frozenset({"chat_session:read", "chat_session:write"}))
READER = Actor(user_id=7, name="Rea", permissions=frozenset({"chat_session:read"}))


def test_a_writer_may_do_everything_with_a_chat_that_is_there() -> None:
    assert table_right(WRITER, "CLOSED") == {"mask": ["SELECT", "UPDATE", "INSERT", "DELETE"], "reason": None}
    assert table_right(WRITER, "DELETED") == {"mask": ["SELECT"], "reason": "The chat is deleted."}


def test_a_reader_may_read() -> None:
    assert table_right(READER, "CLOSED") == {
        "mask": ["SELECT"],
        "reason": "This needs the permission chat_session:write.",
    }
    assert {entry["right"] for entry in field_properties(READER, "CLOSED")} == {"READ"}


def test_every_field_of_the_contract_has_its_properties() -> None:
    found = {entry["name"]: entry for entry in field_properties(WRITER, "CLOSED")}
    assert len(found) == 31
    assert {name for name, entry in found.items() if entry["right"] == "READ"} == READ_ONLY
    assert found["customerPhone"] == {"name": "customerPhone", "right": "UPDATE", "type": "System.String", "length": 32}
    assert found["rank"] == {"name": "rank", "right": "READ", "type": "System.Int32", "length": None}
    assert {name: entry["length"] for name, entry in found.items() if entry["length"] is not None} == {
        "customerAlias": 64,
        "customerHost": 255,
        "customerName": 255,
        "customerEmail": 255,
        "customerPhone": 32,
        "customerCompanyName": 255,
        "firstMessage": 1024,
        "lastMessage": 1024,
        "sessionKey": 255,
    }
