"""What every kind of interaction owes to those who treat all kinds alike, kind by kind of the registry.

A new kind is covered without an edit: its `tests/kinds/<kind>/contract.py` says where a customer's message belongs, and
which mutations it has not."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest

from app.core.actor import Actor
from app.core.clock import rfc3339
from app.core.ids import GlobalId
from app.interactions.kind import InteractionKind
from app.interactions.service.messages import receive_message
from app.registry import KINDS
from app.storage.database import Work
from tests.conftest import ManualClock
from tests.graph.running import Graph, open_graph
from tests.graph.state import picture_of, unchanged
from tests.kinds.conftest import ADA, BO, CY, store_users

pytestmark = pytest.mark.anyio

SAID = "Where is my Pärcel?"
FROM_KIND_TO_KIND = (
    "closeInteraction",
    "reopenInteraction",
    "snoozeInteraction",
    "unsnoozeInteraction",
    "setReaction",
    "reportMessageStatus",
)
"""The mutations that some kinds have not."""

READ_ATTENTION = """attention {
  needed reason reasons level since acknowledgedBy { id } acknowledgedAt claimedBy { id } claimedUntil
}"""


@dataclass(frozen=True, slots=True)
class House:
    """A graph with one interaction of a kind, opened by a message of its customer."""

    kind: InteractionKind
    graph: Graph
    not_supported: frozenset[str]
    id: str
    message: str
    customer: str

    @property
    def clock(self) -> ManualClock:
        return self.graph.clock

    @property
    def blind(self) -> Actor:
        """Sees and changes everything but this kind."""
        others = {f"{other.name}:{verb}" for other in KINDS for verb in ("read", "write") if other is not self.kind}
        return Actor(user_id=4, name="Dee", permissions=frozenset(others | {"directory:read"}))

    @property
    def reader(self) -> Actor:
        """Sees everything and changes nothing."""
        return Actor(user_id=3, name="Cy", permissions=CY.permissions | {"directory:read"})

    def commands(self) -> Mapping[str, Mapping[str, Any]]:
        """Every mutation on interactions of all kinds, with an input."""
        text = {"text": {"content": "Hello"}}
        return {
            **{name: {"id": self.id} for name in PLAIN},
            "assignInteraction": {"id": self.id, "userId": "usr_2"},
            "snoozeInteraction": {"id": self.id, "until": rfc3339(self.clock.now + timedelta(hours=1))},
            **{name: {"id": self.id, "labels": ["vip"]} for name in ("setLabels", "addLabels", "removeLabels")},
            "addNote": {"id": self.id, "text": "Note"},
            "sendMessage": {"id": self.id, "content": text},
            "receiveMessage": {"target": {"interactionId": self.id}, "contents": [text]},
            "setReaction": {"id": self.message, "reaction": "👍"},
            "reportMessageStatus": {"id": self.message, "status": "READ"},
        }

    async def read(self, fields: str, actor: Actor = BO) -> Any:
        """These fields of the interaction."""
        found = await self.graph.read(f"query($id: ID!) {{ interaction(id: $id) {{ {fields} }} }}", actor, id=self.id)
        return found["interaction"]

    async def do(self, mutation: str, actor: Actor = BO, /, gives: str = "", **given: Any) -> Any:
        """The interaction after a mutation that must not be refused."""
        payload = await self.graph.do(mutation, {"id": self.id, **given}, f"interaction {{ version {gives} }}", actor)
        return payload["interaction"]

    async def refused(self, mutation: str, actor: Actor, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The one error of a mutation that is refused and changes nothing."""
        before = await picture_of(self.graph.database)
        payload = await self.graph.attempt(mutation, given or self.commands()[mutation], "", actor)
        assert len(payload["errors"]) == 1
        await unchanged(self.graph.database, before)
        error: dict[str, Any] = payload["errors"][0]
        return error

    async def topics(self) -> list[str]:
        """The interaction's history, the oldest first, without its opening."""
        history = await self.read("history(orderBy: {field: AT, direction: ASC}) { edges { node { topic } } }")
        return [edge["node"]["topic"] for edge in history["history"]["edges"]][self_opening(history) :]


PLAIN = (
    "claimInteraction",
    "releaseInteraction",
    "closeInteraction",
    "reopenInteraction",
    "unsnoozeInteraction",
    "raiseAttention",
    "clearAttention",
    "acknowledgeAttention",
    "markRead",
    "sendTyping",
)
"""The mutations whose input is an id."""


def self_opening(history: Any) -> int:
    """How many entries the opening of the interaction and its first message made."""
    topics = [edge["node"]["topic"] for edge in history["history"]["edges"]]
    received = next(index for index, topic in enumerate(topics) if topic == "INTERACTION_MESSAGE_RECEIVED")
    rest = topics[received + 1 :]
    return received + 1 + (1 if rest and rest[0].startswith("ATTENTION_") else 0)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> InteractionKind:
    found: InteractionKind = request.param
    return found


@pytest.fixture
async def house(kind: InteractionKind, database_url: str, clock: ManualClock) -> AsyncIterator[House]:
    graph = await open_graph(database_url, clock)
    contract = import_module(f"tests.kinds.{kind.name}.contract")

    def fill(work: Work) -> tuple[int, int, int]:
        store_users(work)
        target = contract.target(work, "4711")
        content = {"type": "text", "content": SAID}
        posted = receive_message(work, BO, {"kind": kind.name, **target}, [content])
        return posted.interaction, posted.message, target["customer_id"]

    interaction, message, customer = await graph.database.command(fill)
    clock.advance(60)
    yield House(
        kind, graph, contract.NOT_SUPPORTED, f"{kind.prefix}_{interaction}", f"msg_{message}", f"cus_{customer}"
    )
    await graph.database.close()


# ---- what it is ---------------------------------------------------------------------------------------------------


async def test_an_interaction_of_the_kind_is_what_the_interface_says(house: House) -> None:
    found = await house.read(
        """__typename id kind state customer { id } assignee { id } labels version createdAt updatedAt latestMessageAt
        latestMessage { id } latestCustomerMessage { id } unreadCustomerMessagesCount
        messages { totalCount edges { node { id author text sentAt } } } notes { totalCount } viewers { until }"""
    )
    then = "2026-01-05T09:00:00.000000Z"
    assert found == {
        "__typename": "".join(word.capitalize() for word in house.kind.name.split("_")),
        "id": house.id,
        "kind": house.kind.name.upper(),
        "state": "OPEN",
        "customer": {"id": house.customer},
        "assignee": None,
        "labels": [],
        "version": 1,
        "createdAt": then,
        "updatedAt": then,
        "latestMessageAt": then,
        "latestMessage": {"id": house.message},
        "latestCustomerMessage": {"id": house.message},
        "unreadCustomerMessagesCount": 1,
        "messages": {
            "totalCount": 1,
            "edges": [{"node": {"id": house.message, "author": "CUSTOMER", "text": SAID, "sentAt": then}}],
        },
        "notes": {"totalCount": 0},
        "viewers": [],
    }


def test_its_name_prefix_and_reasons_are_its_own(kind: InteractionKind) -> None:
    for other in KINDS:
        if other is not kind:
            assert other.name != kind.name
            assert other.prefix != kind.prefix
            assert not set(other.rules.reasons) & set(kind.rules.reasons)


# ---- who holds it -------------------------------------------------------------------------------------------------


async def test_exactly_one_user_claims_it(house: House) -> None:
    held = "assignee { id } attention { claimedBy { id } claimedUntil }"
    found = await house.do("claimInteraction", BO, held, leaseSeconds=600)
    until = "2026-01-05T09:11:00.000000Z"
    assert found == {
        "version": 2,
        "assignee": {"id": "usr_2"},
        "attention": {"claimedBy": {"id": "usr_2"}, "claimedUntil": until},
    }
    error = await house.refused("claimInteraction", ADA)
    assert (error["code"], error["claimedBy"], error["claimedUntil"]) == ("ALREADY_CLAIMED", {"id": "usr_2"}, until)
    assert "INTERACTION_CLAIMED" in await house.topics()


async def test_its_holder_or_an_admin_releases_it(house: House) -> None:
    other = Actor(user_id=4, name="Dee", permissions=BO.permissions)
    await house.do("claimInteraction")
    assert (await house.refused("releaseInteraction", other))["code"] == "ALREADY_CLAIMED"
    assert (await house.do("releaseInteraction", BO, "assignee { id }"))["assignee"] is None
    assert (await house.refused("releaseInteraction", BO))["code"] == "INVALID_TRANSITION"
    await house.do("claimInteraction")
    assert (await house.do("releaseInteraction", ADA, "assignee { id }"))["assignee"] is None
    topics = await house.topics()
    assert topics.count("INTERACTION_RELEASED") == 2


async def test_it_is_assigned_to_users_and_to_nobody(house: House) -> None:
    assert (await house.do("assignInteraction", BO, "assignee { id }", userId="usr_2"))["assignee"] == {"id": "usr_2"}
    other = Actor(user_id=4, name="Dee", permissions=BO.permissions)
    error = await house.refused("assignInteraction", other, {"id": house.id, "userId": "usr_4"})
    assert error["code"] == "ALREADY_CLAIMED"
    assert (await house.do("assignInteraction", ADA, "assignee { id }", userId="usr_1"))["assignee"] == {"id": "usr_1"}
    assert (await house.do("assignInteraction", ADA, "assignee { id }", userId=None))["assignee"] is None
    assert (await house.refused("assignInteraction", BO, {"id": house.id, "userId": "usr_99"}))["code"] in (
        "INVALID_INPUT",
        "NOT_FOUND",
    )


# ---- labels, notes, messages --------------------------------------------------------------------------------------


async def test_labels_are_set_added_and_removed(house: House) -> None:
    assert (await house.do("setLabels", BO, "labels", labels=["b", "a"])) == {"version": 2, "labels": ["b", "a"]}
    assert (await house.do("addLabels", BO, "labels", labels=["c", "a"])) == {"version": 3, "labels": ["b", "a", "c"]}
    assert (await house.do("removeLabels", BO, "labels", labels=["a"])) == {"version": 4, "labels": ["b", "c"]}
    assert (await house.do("addLabels", BO, "labels", labels=["b"])) == {"version": 4, "labels": ["b", "c"]}
    document = "query($label: String!) { interactions(filter: {labels: [$label]}) { edges { node { id } } } }"
    for label, edges in (("c", [{"node": {"id": house.id}}]), ("a", [])):
        assert (await house.graph.read(document, BO, label=label))["interactions"] == {"edges": edges}
    assert await house.topics() == ["INTERACTION_LABELLED"] * 3


async def test_notes_are_added_edited_and_deleted(house: House) -> None:
    noted = await house.graph.do("addNote", {"id": house.id, "text": "First"}, "note { id text author { id } }", BO)
    assert noted["note"] == {"id": "not_1", "text": "First", "author": {"id": "usr_2"}}
    edited = await house.graph.do("editNote", {"id": "not_1", "text": "Second"}, "note { text }", BO)
    assert edited["note"] == {"text": "Second"}
    assert await house.read("latestNote { id } notes { edges { node { text } } } version") == {
        "latestNote": {"id": "not_1"},
        "notes": {"edges": [{"node": {"text": "Second"}}]},
        "version": 1,
    }
    await house.graph.do("deleteNote", {"id": "not_1"}, "deletedId", BO)
    assert await house.read("latestNote { id } notes { totalCount }") == {
        "latestNote": None,
        "notes": {"totalCount": 0},
    }


async def test_messages_count_as_unread_until_they_are_read(house: House) -> None:
    text = {"text": {"content": "Hello?"}}
    await house.graph.do("receiveMessage", {"target": {"interactionId": house.id}, "contents": [text]}, "", BO)
    assert await house.read("unreadCustomerMessagesCount version") == {"unreadCustomerMessagesCount": 2, "version": 1}
    found = await house.do("markRead", BO, "unreadCustomerMessagesCount")
    assert found == {"unreadCustomerMessagesCount": 0, "version": 1}
    topics = await house.topics()
    assert "INTERACTION_READ" in topics
    await house.do("markRead", BO, "unreadCustomerMessagesCount")
    assert await house.topics() == topics


async def test_who_can_reply_replies_and_who_cannot_is_refused(house: House) -> None:
    can = (await house.read("viewerCan { reply }"))["viewerCan"]["reply"]
    payload = await house.graph.attempt("sendMessage", house.commands()["sendMessage"], "message { id author }", BO)
    assert (payload["errors"] == []) is can
    if can:
        assert payload["message"] == {"id": "msg_2", "author": "USER"}
        assert await house.read("latestMessage { id } latestCustomerMessage { id } version") == {
            "latestMessage": {"id": "msg_2"},
            "latestCustomerMessage": {"id": house.message},
            "version": 1,
        }


# ---- attention ----------------------------------------------------------------------------------------------------


async def test_attention_is_raised_acknowledged_and_cleared_by_hand(house: House) -> None:
    before = (await house.read(READ_ATTENTION))["attention"]
    raised = (await house.do("raiseAttention", BO, READ_ATTENTION, level="URGENT"))["attention"]
    assert (raised["needed"], raised["reason"], raised["level"]) == (True, "RAISED", "URGENT")
    assert raised["reasons"] == [*before["reasons"], "RAISED"]
    assert raised["since"] == (before["since"] if before["needed"] else "2026-01-05T09:01:00.000000Z")
    known = (await house.do("acknowledgeAttention", CY_WRITING, READ_ATTENTION))["attention"]
    assert (known["acknowledgedBy"], known["acknowledgedAt"]) == ({"id": "usr_3"}, "2026-01-05T09:01:00.000000Z")
    cleared = (await house.do("clearAttention", BO, READ_ATTENTION))["attention"]
    assert "RAISED" not in cleared["reasons"]
    assert set(cleared["reasons"]) <= set(before["reasons"])
    if not cleared["needed"]:
        assert cleared == dict.fromkeys(cleared) | {"needed": False, "reasons": []}
    topics = [topic for topic in await house.topics() if topic.startswith("ATTENTION_")]
    assert topics == [
        "ATTENTION_CHANGED" if before["needed"] else "ATTENTION_RAISED",
        "ATTENTION_CHANGED" if cleared["needed"] else "ATTENTION_CLEARED",
    ]


async def test_an_acknowledgement_ends_when_the_level_rises(house: House) -> None:
    await house.do("raiseAttention", BO, level="HIGH")
    level = (await house.read("attention { level }"))["attention"]["level"]
    await house.do("acknowledgeAttention")
    await house.do("raiseAttention", BO, level="URGENT")
    known = (await house.read("attention { acknowledgedBy { id } }"))["attention"]["acknowledgedBy"]
    assert known == (None if level != "URGENT" else {"id": "usr_2"})


async def test_it_stands_in_the_queue_while_it_needs_a_human(house: House) -> None:
    document = "{ attentionQueue { totalCount edges { node { id } } } }"
    await house.do("raiseAttention", BO, level="LOW")
    assert (await house.graph.read(document, BO))["attentionQueue"] == {
        "totalCount": 1,
        "edges": [{"node": {"id": house.id}}],
    }


# ---- versions and events ------------------------------------------------------------------------------------------


async def test_an_edit_of_another_version_changes_nothing(house: House) -> None:
    await house.do("setLabels", BO, labels=["a"])
    for mutation in ("setLabels", "claimInteraction", "raiseAttention"):
        error = await house.refused(mutation, BO, {**house.commands()[mutation], "ifVersion": 1})
        assert (error["code"], error["currentVersion"], error["path"]) == (
            "VERSION_CONFLICT",
            2,
            ["input", "ifVersion"],
        )
    await house.do("setLabels", BO, labels=["b"], ifVersion=2)


async def test_the_history_says_who_changed_what_and_when(house: House) -> None:
    await house.do("setLabels", BO, labels=["a"], clientMutationId="mine")
    house.clock.advance(30)
    await house.do("raiseAttention", ADA, level="URGENT")
    fields = "at topic actor { id } clientMutationId version levelAfter changes { field }"
    history = await house.read(f"history(first: 3) {{ edges {{ node {{ {fields} }} }} }}")
    nodes = [edge["node"] for edge in history["history"]["edges"]]
    assert [(node["topic"], node["actor"]["id"], node["version"]) for node in nodes] == [
        ("ATTENTION_CHANGED" if nodes[0]["topic"] == "ATTENTION_CHANGED" else "ATTENTION_RAISED", "usr_1", 3),
        ("INTERACTION_ATTENTION_RAISED", "usr_1", 3),
        ("INTERACTION_LABELLED", "usr_2", 2),
    ]
    assert nodes[0]["levelAfter"] == "URGENT"
    assert (nodes[2]["clientMutationId"], nodes[2]["at"]) == ("mine", "2026-01-05T09:01:00.000000Z")
    assert nodes[2]["changes"] == [{"field": "labels"}]


async def test_every_change_is_in_the_log_for_those_who_may_see_it(house: House) -> None:
    cursor = (await house.graph.read("{ events { cursor } }", BO))["events"]["cursor"]
    await house.do("setLabels", BO, labels=["a"])
    document = "query($after: String!) { events(after: $after) { events { topic interaction { id } } } }"
    seen = await house.graph.read(document, house.reader, after=cursor)
    assert seen["events"]["events"] == [{"topic": "INTERACTION_LABELLED", "interaction": {"id": house.id}}]
    assert (await house.graph.read(document, house.blind, after=cursor))["events"]["events"] == []


# ---- who may what -------------------------------------------------------------------------------------------------

VISIBLE = """query($id: ID!, $ids: [ID!]!, $customer: ID!, $message: ID!, $profile: ID!) {
  node(id: $id) { id }
  nodes(ids: $ids) { id }
  message: node(id: $message) { id }
  note: node(id: "not_1") { id }
  interaction(id: $id) { id }
  interactions { totalCount edges { node { id } } }
  attentionQueue { totalCount edges { node { id } } }
  attentionSummary(groupBy: KIND) { count groups { count } }
  customer(id: $customer) { interactions { totalCount edges { node { id } } } }
  profile(id: $profile) { interactions { totalCount edges { node { id } } } }
  searchMessages(text: "parcel") { totalCount edges { node { id } } }
}"""


async def test_without_the_permission_to_read_it_is_nowhere(house: House) -> None:
    await house.do("raiseAttention")
    await house.graph.do("addNote", {"id": house.id, "text": "Note"}, "", BO)
    profile = (await house.graph.do("createProfile", {"name": "P"}, "profile { id }", ADA))["profile"]["id"]
    await house.graph.do("linkCustomer", {"id": house.customer, "profileId": profile}, "", ADA)
    asked = {
        "id": house.id,
        "ids": [house.id, house.message],
        "customer": house.customer,
        "message": house.message,
        "profile": profile,
    }
    only = {"totalCount": 1, "edges": [{"node": {"id": house.id}}]}
    assert await house.graph.read(VISIBLE, house.reader, **asked) == {
        "node": {"id": house.id},
        "nodes": [{"id": house.id}, {"id": house.message}],
        "message": {"id": house.message},
        "note": {"id": "not_1"},
        "interaction": {"id": house.id},
        "interactions": only,
        "attentionQueue": only,
        "attentionSummary": {"count": 1, "groups": [{"count": 1}]},
        "customer": {"interactions": only},
        "profile": {"interactions": only},
        "searchMessages": {"totalCount": 1, "edges": [{"node": {"id": house.message}}]},
    }
    none: dict[str, Any] = {"totalCount": 0, "edges": []}
    assert await house.graph.read(VISIBLE, house.blind, **asked) == {
        "node": None,
        "nodes": [None, None],
        "message": None,
        "note": None,
        "interaction": None,
        "interactions": none,
        "attentionQueue": none,
        "attentionSummary": {"count": 0, "groups": []},
        "customer": {"interactions": none},
        "profile": {"interactions": none},
        "searchMessages": none,
    }


async def test_who_cannot_see_it_is_told_that_there_is_nothing(house: House) -> None:
    for mutation in house.commands():
        assert (await house.refused(mutation, house.blind))["code"] == "NOT_FOUND", mutation


async def test_without_the_permission_to_write_every_command_is_forbidden(house: House) -> None:
    for mutation in house.commands():
        assert (await house.refused(mutation, house.reader))["code"] == "FORBIDDEN", mutation


async def test_without_the_permission_to_write_nothing_can_be_done(house: House) -> None:
    type_fields = "claim release assign close reopen snooze unsnooze reply receive markRead note type label"
    more = "raiseAttention clearAttention acknowledge react reportStatus update delete"
    can = (await house.read(f"viewerCan {{ {type_fields} {more} }}", house.reader))["viewerCan"]
    assert set(can.values()) == {False}


# ---- what some kinds have not -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mutation", FROM_KIND_TO_KIND)
async def test_what_the_kind_has_not_is_not_supported(house: House, mutation: str) -> None:
    if mutation in house.not_supported:
        assert (await house.refused(mutation, ADA))["code"] == "NOT_SUPPORTED"
        return
    payload = await house.graph.attempt(mutation, house.commands()[mutation], "", ADA)
    assert "NOT_SUPPORTED" not in [error["code"] for error in payload["errors"]]


async def test_a_kind_that_closes_reopens(house: House) -> None:
    if "closeInteraction" in house.not_supported:
        assert (await house.read("viewerCan { close reopen }"))["viewerCan"] == {"close": False, "reopen": False}
        return
    await house.do("raiseAttention")
    closed = await house.do("closeInteraction", BO, f"state {READ_ATTENTION} viewerCan {{ close reopen }}")
    assert (closed["state"], closed["attention"]["needed"]) == ("CLOSED", False)
    assert closed["viewerCan"] == {"close": False, "reopen": True}
    assert (await house.refused("closeInteraction", BO))["code"] == "INVALID_TRANSITION"
    reopened = await house.do("reopenInteraction", BO, "state viewerCan { close reopen }")
    assert reopened["state"] == "OPEN"
    assert reopened["viewerCan"] == {"close": True, "reopen": False}


async def test_a_kind_that_snoozes_wakes(house: House) -> None:
    if "snoozeInteraction" in house.not_supported:
        assert (await house.read("viewerCan { snooze unsnooze }"))["viewerCan"] == {"snooze": False, "unsnooze": False}
        return
    await house.do("raiseAttention")
    asleep = await house.do(
        "snoozeInteraction", BO, "state attention { needed }", until=house.commands()["snoozeInteraction"]["until"]
    )
    assert (asleep["state"], asleep["attention"]["needed"]) == ("SNOOZED", False)
    awake = await house.do("unsnoozeInteraction", BO, "state attention { needed }")
    assert (awake["state"], awake["attention"]["needed"]) == ("OPEN", True)


CY_WRITING = Actor(user_id=3, name="Cy", permissions=BO.permissions)
"""A third user who may do what Bo may."""


def test_ids_of_the_kind_are_global_ids(kind: InteractionKind) -> None:
    assert str(GlobalId(kind.prefix, 1)) == f"{kind.prefix}_1"
    assert len(kind.prefix) == 3
