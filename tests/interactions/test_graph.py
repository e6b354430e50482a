"""What all kinds share, as a client reads it."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.core.actor import Actor
from app.interactions.model import Level
from app.interactions.service.holding import claim
from app.interactions.service.messages import send_message
from app.interactions.service.notes import add_note
from app.interactions.service.state import raise_attention, set_labels
from app.interactions.tables import watch
from app.storage.database import Work
from tests.conftest import START
from tests.interactions.conftest import House, cnv, said, ses
from tests.kinds.conftest import BO, DEE

pytestmark = pytest.mark.anyio

CONVERSATIONS = Actor(user_id=2, name="Bo", permissions=frozenset({"conversation:read"}))

NODE = """
  __typename id kind state version botActive labels latestMessageAt unreadCustomerMessagesCount
  customer { name } assignee { name }
  attention { needed reason reasons level since waitingSeconds claimedBy { name } acknowledgedBy { name } }
  messages(last: 1) { totalCount edges { node { text author status user { name } interaction { id } } } }
  latestMessage { text } latestCustomerMessage { text } notes { edges { node { text author { name } } } }
  latestNote { text } viewers { user { name } until }
  viewerCan { claim release close reply }
  ... on Conversation { status } ... on Session { needAttention }
"""


async def listed(house: House, arguments: str, actor: Actor = BO) -> list[str]:
    """The ids of a list of interactions, in its order; the count must agree."""
    found = await house.graph.read(f"{{ interactions({arguments}) {{ totalCount edges {{ node {{ id }} }} }} }}", actor)
    ids = [edge["node"]["id"] for edge in found["interactions"]["edges"]]
    assert found["interactions"]["totalCount"] == len(ids)
    return ids


async def test_an_inbox_of_two_kinds(house: House) -> None:
    await house.hear()
    house.clock.advance(60)
    await house.hear_sam("Help")
    await house.database.command(claim, BO, cnv(1))
    await house.database.command(send_message, BO, cnv(1), said("Hi"))
    await house.database.command(raise_attention, BO, cnv(1), Level.NORMAL)
    await house.database.command(add_note, BO, cnv(1), "Careful")
    house.clock.advance(30)
    data = await house.graph.read(f"{{ interactions {{ totalCount edges {{ node {{ {NODE} }} }} }} }}", BO)
    assert data["interactions"]["totalCount"] == 2
    session, conversation = (edge["node"] for edge in data["interactions"]["edges"])
    assert session == {
        "__typename": "Session",
        "id": "ses_2",
        "kind": "SESSION",
        "state": "OPEN",
        "version": 1,
        "botActive": True,
        "labels": [],
        "latestMessageAt": "2026-01-05T09:01:00.000000Z",
        "unreadCustomerMessagesCount": 1,
        "customer": {"name": "Sam"},
        "assignee": None,
        "attention": {
            "needed": False,
            "reason": None,
            "reasons": [],
            "level": None,
            "since": None,
            "waitingSeconds": None,
            "claimedBy": None,
            "acknowledgedBy": None,
        },
        "messages": {
            "totalCount": 1,
            "edges": [
                {
                    "node": {
                        "text": "Help",
                        "author": "CUSTOMER",
                        "status": "DELIVERED",
                        "user": None,
                        "interaction": {"id": "ses_2"},
                    }
                }
            ],
        },
        "latestMessage": {"text": "Help"},
        "latestCustomerMessage": {"text": "Help"},
        "notes": {"edges": []},
        "latestNote": None,
        "viewers": [],
        "viewerCan": {"claim": True, "release": False, "close": False, "reply": True},
        "needAttention": False,
    }
    assert conversation["id"] == "cnv_1"
    assert conversation["attention"] == {
        "needed": True,
        "reason": "RAISED",
        "reasons": ["RAISED"],
        "level": "NORMAL",
        "since": "2026-01-05T09:01:00.000000Z",
        "waitingSeconds": 30,
        "claimedBy": {"name": "Bo"},
        "acknowledgedBy": None,
    }
    assert conversation["messages"]["totalCount"] == 2
    assert conversation["messages"]["edges"][0]["node"]["text"] == "Hi"
    assert (conversation["latestMessage"], conversation["latestCustomerMessage"]) == ({"text": "Hi"}, {"text": "Hello"})
    assert conversation["notes"]["edges"] == [{"node": {"text": "Careful", "author": {"name": "Bo"}}}]
    assert (conversation["latestNote"], conversation["status"]) == ({"text": "Careful"}, "IN_PROGRESS")
    assert conversation["viewerCan"] == {"claim": True, "release": True, "close": True, "reply": True}


async def test_filters_and_orders(house: House) -> None:
    await house.hear()
    house.clock.advance(60)
    await house.hear_sam()
    house.clock.advance(60)
    await house.hear("Again")
    await house.database.command(set_labels, BO, ses(2), ["vip", "late"])
    await house.database.command(claim, BO, cnv(1))
    noon, later = "2026-01-05T09:01:00Z", "2026-01-05T09:01:30Z"
    assert await listed(house, "first: 5") == ["cnv_1", "ses_2"]
    assert await listed(house, "orderBy: {field: CREATED_AT, direction: ASC}") == ["cnv_1", "ses_2"]
    assert await listed(house, "orderBy: {field: CREATED_AT, direction: DESC}") == ["ses_2", "cnv_1"]
    expected: dict[str, list[str]] = {
        "kinds: [SESSION]": ["ses_2"],
        "kinds: [SESSION, CONVERSATION]": ["cnv_1", "ses_2"],
        "kinds: []": [],
        "states: [OPEN]": ["cnv_1", "ses_2"],
        "states: [CLOSED, SNOOZED]": [],
        'assignee: {userId: "usr_2"}': ["cnv_1"],
        "assignee: {assigned: false}": ["ses_2"],
        f'customerId: "cus_{house.sam}"': ["ses_2"],
        'labels: ["vip"]': ["ses_2"],
        'labels: ["no", "late"]': ["ses_2"],
        'labels: ["no"]': [],
        "attentionNeeded: true": ["cnv_1"],
        "attentionNeeded: false": ["ses_2"],
        "reasons: [CUSTOMER_WAITING, RAISED]": ["cnv_1"],
        "reasons: [TO_DO]": [],
        "levels: [NORMAL]": ["cnv_1"],
        "levels: [URGENT, LOW]": [],
        "botActive: true": ["ses_2"],
        f'createdAt: {{since: "{noon}"}}': ["ses_2"],
        f'createdAt: {{before: "{noon}"}}': ["cnv_1"],
        f'latestMessageAt: {{since: "{noon}", before: "{later}"}}': ["ses_2"],
        f'updatedAt: {{since: "{later}"}}': ["cnv_1", "ses_2"],
        'kinds: [CONVERSATION], states: [OPEN], labels: ["vip"]': [],
    }
    assert {given: await listed(house, f"filter: {{{given}}}") for given in expected} == expected


async def test_pages_follow_each_other(house: House) -> None:
    await house.hear()
    house.clock.advance(1)
    await house.hear_sam()
    page = "{ interactions(first: 1, after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } } }"
    seen, after = [], None
    for _ in range(2):
        found = (await house.graph.read(f"query($after: String) {page}", BO, after=after))["interactions"]
        seen += [edge["node"]["id"] for edge in found["edges"]]
        after = found["pageInfo"]["endCursor"]
    assert (seen, found["pageInfo"]["hasNextPage"]) == (["ses_2", "cnv_1"], False)


async def test_what_may_not_be_seen_is_not_there(house: House) -> None:
    await house.hear()
    await house.hear_sam()
    assert await listed(house, "first: 9", CONVERSATIONS) == ["cnv_1"]
    assert await listed(house, "first: 9", DEE) == []
    document = """{
      interaction(id: "ses_2") { id } other: interaction(id: "cnv_1") { id } wrong: interaction(id: "ses_1") { id }
      node(id: "msg_2") { id } nodes(ids: ["msg_1", "ses_2", "cnv_1"]) { __typename id }
      searchMessages(text: "hello") { totalCount edges { node { id } } }
    }"""
    assert await house.graph.read(document, CONVERSATIONS) == {
        "interaction": None,
        "other": {"id": "cnv_1"},
        "wrong": None,
        "node": None,
        "nodes": [
            {"__typename": "Message", "id": "msg_1"},
            None,
            {"__typename": "Conversation", "id": "cnv_1"},
        ],
        "searchMessages": {"totalCount": 1, "edges": [{"node": {"id": "msg_1"}}]},
    }


async def test_a_customer_and_a_person_have_interactions(house: House) -> None:
    await house.hear()
    await house.hear_sam()
    profile = await house.graph.do("createProfile", {"name": "Ana Sam"}, "profile { id }")
    for customer in (house.desk.ana, house.sam):
        await house.graph.do("linkCustomer", {"id": f"cus_{customer}", "profileId": profile["profile"]["id"]})
    of_person = "interactions(orderBy: {field: CREATED_AT, direction: ASC}) { totalCount edges { node { id } } }"
    document = f"""{{
      profile(id: "{profile["profile"]["id"]}") {{ {of_person} }}
      customer(id: "cus_{house.sam}") {{ {of_person} }}
    }}"""
    assert await house.graph.read(document) == {
        "profile": {"interactions": {"totalCount": 2, "edges": [{"node": {"id": "cnv_1"}}, {"node": {"id": "ses_2"}}]}},
        "customer": {"interactions": {"totalCount": 1, "edges": [{"node": {"id": "ses_2"}}]}},
    }
    directory = Actor(user_id=2, name="Bo", permissions=frozenset({"conversation:read", "directory:read"}))
    found = await house.graph.read(document, directory)
    assert [found["profile"]["interactions"]["totalCount"], found["customer"]["interactions"]["totalCount"]] == [1, 0]


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cafe", ["msg_1"]),
        ("CAFÉ creme", ["msg_1"]),
        ("creme caf", ["msg_1"]),
        ("caf creme", []),
        ("order-1234", ["msg_2"]),
        ("12", ["msg_2"]),
        ("straße", ["msg_3"]),
        ("STRASSE", ["msg_3"]),
        ("o'neill", ["msg_3"]),
        ('"quoted" -x (', []),
        ("東京", ["msg_4"]),
        ("e", ["msg_4"]),
    ],
)
async def test_messages_are_found_by_folded_words(house: House, text: str, found: list[str]) -> None:
    for heard in ("Café crème, please", "Where is order 1234?", "O'Neill, Lange Straße 5", "東京 épée"):
        await house.hear(heard)
    data = await house.graph.read(
        "query($text: String!) { searchMessages(text: $text) { totalCount edges { node { id } } } }", BO, text=text
    )
    ids = [edge["node"]["id"] for edge in data["searchMessages"]["edges"]]
    assert (ids, data["searchMessages"]["totalCount"]) == (found, len(found))


async def test_a_search_needs_a_word(house: House) -> None:
    answer = await house.graph.answer('{ searchMessages(text: "?!") { totalCount } }')
    assert answer["errors"][0]["extensions"] == {"code": "INVALID_INPUT", "argument": ["text"]}


async def test_who_is_looking(house: House) -> None:
    await house.hear()

    def look(work: Work) -> None:
        rows = [
            {"subject": 1, "user_id": 2, "holder": "one", "listeners": 1, "until": START + timedelta(seconds=30)},
            {"subject": 1, "user_id": 2, "holder": "two", "listeners": 2, "until": START + timedelta(seconds=20)},
            {"subject": 1, "user_id": 3, "holder": "one", "listeners": 1, "until": START + timedelta(seconds=10)},
        ]
        work.connection.execute(sa.insert(watch), rows)

    await house.database.command(look)
    house.clock.advance(10)
    found = await house.graph.read('{ interaction(id: "cnv_1") { viewers { user { name } until } } }')
    assert found["interaction"]["viewers"] == [{"user": {"name": "Bo"}, "until": "2026-01-05T09:00:30.000000Z"}]


EVENTS = """query($after: String, $first: Int) { events(after: $after, first: $first) {
  cursor hasMore events { cursor topic kind interaction { id } actor { name } levelAfter changes { field before after }
  message { text } } } }"""


async def test_events_go_on_from_a_cursor(house: House) -> None:
    start: dict[str, Any] = (await house.graph.read(EVENTS))["events"]
    assert (start["events"], start["hasMore"]) == ([], False)
    await house.hear()
    await house.database.command(raise_attention, BO, cnv(1))
    await house.hear_sam()
    seen, after = [], start["cursor"]
    for _ in range(9):
        page = (await house.graph.read(EVENTS, CONVERSATIONS, after=after, first=2))["events"]
        seen += page["events"]
        after = page["cursor"]
        if not page["hasMore"]:
            break
    assert [event["topic"] for event in seen] == [
        "INTERACTION_CREATED",
        "ATTENTION_RAISED",
        "INTERACTION_MESSAGE_RECEIVED",
        "ATTENTION_CHANGED",
        "INTERACTION_ATTENTION_RAISED",
        "ATTENTION_CHANGED",
    ]
    assert seen[2]["message"] == {"text": "Hello"}
    assert seen[4] | {"cursor": ""} == {
        "cursor": "",
        "topic": "INTERACTION_ATTENTION_RAISED",
        "kind": "CONVERSATION",
        "interaction": {"id": "cnv_1"},
        "actor": {"name": "Bo"},
        "levelAfter": "HIGH",
        "changes": [{"field": "raisedLevel", "before": None, "after": "HIGH"}],
        "message": None,
    }
    resumed = (await house.graph.read(EVENTS, CONVERSATIONS, after=seen[4]["cursor"], first=100))["events"]
    assert [event["topic"] for event in resumed["events"]] == ["ATTENTION_CHANGED"]


async def test_a_cursor_that_is_none_is_refused(house: House) -> None:
    answer = await house.graph.answer(EVENTS, after="nonsense")
    assert answer["errors"][0]["extensions"]["code"] == "INVALID_CURSOR"


async def test_an_inbox_takes_as_many_statements_for_many_as_for_one(house: House) -> None:
    counts = []
    for customer in (house.desk.ana, house.desk.ana, house.sam):
        await (house.hear_sam() if customer == house.sam else house.hear())
        house.graph.statements.clear()
        await house.graph.read(f"{{ interactions {{ edges {{ node {{ {NODE} }} }} }} }}", BO)
        counts.append(len(house.graph.statements))
    assert counts == [counts[0]] * 3
