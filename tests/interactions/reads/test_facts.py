from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.events import EventRecord, LoggedEvent
from app.feed import Entry
from app.interactions.model import Level
from app.interactions.reads.facts import as_asked, condition_of, sides_of, turn_of, values_of, wanted_keys
from app.storage.event_log import Cursor

NUMBERS = st.integers(1, 3)
WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=2)


def parts(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=values)


FACTS = parts(
    state=st.sampled_from(["OPEN", "CLOSED"]),
    assignee_id=st.none() | NUMBERS,
    asked_id=NUMBERS,
    team_id=NUMBERS,
    bot_active=st.booleans(),
    customer_id=NUMBERS,
    labels=WORDS,
    tags=WORDS,
    topics=WORDS,
    unread=st.just(True),
    status=st.sampled_from(["TO_DO", "DONE"]),
    channel=st.sampled_from(["WIDGET", "BRIDGE"]),
    account=st.sampled_from(["cha_1", "aia_1", "top_1"]),
    level=st.none() | NUMBERS,
    reasons=st.lists(st.sampled_from(["FLAGGED", "MISSED"]), max_size=2),
)
EVENTS = st.builds(
    lambda interaction, customer, assignee, level, data: EventRecord(
        topic="session.updated",
        kind="session",
        level_after=level,
        interaction_id=interaction,
        customer_id=customer,
        assignee_id=assignee,
        data=data,
    ),
    NUMBERS,
    NUMBERS,
    st.none() | NUMBERS,
    st.none() | NUMBERS,
    parts(before=st.none() | FACTS, after=st.none() | FACTS),
)
FILTERS = parts(
    states=st.lists(st.sampled_from(["OPEN", "CLOSED"]), max_size=2),
    customer_id=st.none() | st.sampled_from(["cus_1", "cus_2"]),
    assignee=st.none()
    | parts(
        user_id=st.none() | st.sampled_from(["usr_1", "usr_2"]),
        user_id_or_nobody=st.none() | st.sampled_from(["usr_1", "usr_2"]),
        assigned=st.booleans(),
    ),
    labels=st.none() | WORDS,
    tags=st.none() | WORDS,
    topics=st.none() | WORDS,
    unread=st.booleans(),
    bot_active=st.booleans(),
    team_ids=st.none() | st.lists(st.none() | st.sampled_from(["tea_1", "tea_2"]), max_size=2),
    statuses=st.lists(st.sampled_from(["TO_DO", "DONE"]), max_size=2),
    channels=st.lists(st.sampled_from(["WIDGET", "BRIDGE"]), max_size=2),
    account_ids=st.lists(st.sampled_from(["cha_1", "aia_1"]), max_size=2),
    chat_topic_ids=st.lists(st.sampled_from(["top_1", "top_2"]), max_size=2),
    kinds=st.none() | st.lists(st.sampled_from(["SESSION", "CONVERSATION"]), max_size=2),
    levels=st.none() | st.lists(st.sampled_from(["URGENT", "HIGH"]), max_size=2),
    reasons=st.none() | st.lists(st.sampled_from(["FLAGGED", "MISSED"]), max_size=2),
    attention_needed=st.none() | st.booleans(),
)


NAMES = (
    *("interaction_id", "customer_id", "assignee_id", "assigned", "state", "unread", "bot_active"),
    *("labels", "tags", "topics", "reasons", "team_id", "level", "kind"),
)


def entry(event: EventRecord) -> Entry:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    return Entry(LoggedEvent(lane=0, position=1, at=at, event=event), Cursor((1,)))


def keys_of(event: EventRecord, *names: str) -> set[tuple[str, object]]:
    return {(name, value) for name in names for value in values_of(entry(event), name)}


@given(EVENTS, FILTERS)
def test_an_event_that_matches_a_filter_has_one_of_its_keys(event: EventRecord, filter_: dict[str, Any]) -> None:
    found = entry(event)
    wanted = wanted_keys(filter_)
    condition = condition_of(filter_)
    for counted in (condition, lambda facts: condition(as_asked(facts))):
        if turn_of(sides_of(found), counted) is not None and wanted is not None:
            assert any(value in values_of(found, name) for name, value in wanted)


@pytest.mark.parametrize(
    ("filter_", "keys"),
    [
        (None, None),
        ({}, None),
        ({"attention_needed": None, "assignee": {"user_id": None}}, None),
        ({"states": ["OPEN"], "assignee": {"assigned": True}}, [("state", "OPEN")]),
        ({"assignee": {"assigned": False}}, [("assigned", False)]),
        ({"bot_active": True, "assignee": {"assigned": False}}, [("bot_active", True)]),
        ({"bot_active": False, "unread": False}, [("unread", False)]),
        ({"attention_needed": False}, [("level", None)]),
        ({"customer_id": "cus_7", "labels": ["a"]}, [("customer_id", 7)]),
        ({"assignee": {"user_id": "usr_5"}, "labels": ["a"]}, [("assignee_id", 5)]),
        ({"assignee": {"user_id_or_nobody": "usr_5"}}, [("assignee_id", None), ("assignee_id", 5)]),
        ({"assignee": {"user_id_or_nobody": "usr_5"}, "tags": ["a", "b"]}, [("tags", "a"), ("tags", "b")]),
        ({"topics": []}, []),
        ({"statuses": ["TO_DO"], "account_ids": ["cha_3"]}, [("account", "cha_3")]),
        ({"chat_topic_ids": ["top_1", "top_1"], "channels": ["WIDGET"]}, [("account", "top_1")]),
        ({"statuses": ["TO_DO", "DONE"], "channels": ["WIDGET"]}, [("status", "TO_DO"), ("status", "DONE")]),
        ({"channels": ["WIDGET"], "assignee": {"user_id_or_nobody": "usr_5"}}, [("channel", "WIDGET")]),
        ({"unread": True}, [("unread", True)]),
        ({"kinds": ["SESSION"], "levels": ["URGENT", "HIGH"]}, [("level", 1), ("level", 2)]),
        ({"levels": ["URGENT"], "reasons": ["FLAGGED"]}, [("reasons", "FLAGGED")]),
        ({"kinds": ["SESSION"], "attention_needed": True}, [("level", int(level)) for level in Level]),
        ({"kinds": ["SESSION"], "attention_needed": False}, [("kind", "session")]),
    ],
)
def test_a_filter_is_found_by_what_few_interactions_have(filter_: Any, keys: Any) -> None:
    assert (None if (found := wanted_keys(filter_)) is None else list(found)) == keys


def test_an_event_is_found_by_what_was_and_by_what_is() -> None:
    data = {
        "before": {"assignee_id": None, "labels": ["vip"], "team_id": None, "state": "OPEN", "unread": True},
        "after": {"assignee_id": 4, "labels": ["vip", "new"], "team_id": 3, "state": "CLOSED", "bot_active": False},
    }
    event = EventRecord(
        topic="session.updated", kind="session", interaction_id=9, customer_id=2, assignee_id=4, data=data
    )
    assert keys_of(event, *NAMES) == {
        ("interaction_id", 9),
        ("customer_id", 2),
        ("assignee_id", None),
        ("assignee_id", 4),
        ("assigned", False),
        ("assigned", True),
        ("state", "OPEN"),
        ("state", "CLOSED"),
        ("unread", True),
        ("unread", False),
        ("bot_active", False),
        ("labels", "vip"),
        ("labels", "new"),
        ("team_id", 0),
        ("team_id", 3),
        ("level", None),
        ("kind", "session"),
    }


def test_an_event_is_found_by_whom_its_attention_asks() -> None:
    data = {"before": None, "after": {"asked_id": 7}}
    event = EventRecord(topic="session.updated", kind="session", interaction_id=9, customer_id=2, data=data)
    wanted = {("assignee_id", None), ("assigned", False), ("assignee_id", 7), ("assigned", True)}
    assert wanted == keys_of(event, "assignee_id", "assigned")


def test_what_is_about_no_interaction_has_no_keys() -> None:
    assert not keys_of(EventRecord(topic="user.updated", data={"after": "x"}), *NAMES)
