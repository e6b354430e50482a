from app.kinds.chat_session.model.rights import READ_ONLY, field_properties, table_right


def test_a_writer_may_do_everything_with_a_chat_that_is_there() -> None:
    assert table_right("CLOSED", may_write=True) == {"mask": ["SELECT", "UPDATE", "INSERT", "DELETE"], "reason": None}
    assert table_right("DELETED", may_write=True) == {"mask": ["SELECT"], "reason": "The chat is deleted."}


def test_a_reader_may_read() -> None:
    assert table_right("CLOSED", may_write=False) == {
        "mask": ["SELECT"],
        "reason": "This needs the permission chat_session:write.",
    }
    assert {entry["right"] for entry in field_properties("CLOSED", may_write=False)} == {"READ"}


def test_every_field_of_the_contract_has_its_properties() -> None:
    found = {entry["name"]: entry for entry in field_properties("CLOSED", may_write=True)}
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
