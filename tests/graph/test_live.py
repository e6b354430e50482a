"""What subscriptions send: which events, to whom, in which words."""

from collections.abc import AsyncIterator

import pytest

from app.core.actor import Actor
from app.interactions.model import Level
from app.interactions.service.erasing import erase_customer
from app.interactions.service.holding import assign, claim, release
from app.interactions.service.messages import send_message, type_in
from app.interactions.service.notes import add_note
from app.interactions.service.state import acknowledge, raise_attention, set_labels
from app.kinds.conversation.service import delete_conversation
from app.storage.database import Work
from tests.graph.listening import Ears, ears
from tests.graph.running import SCHEMA
from tests.interactions.conftest import House, cnv, said, ses
from tests.interactions.conftest import house as house
from tests.kinds.conftest import ADA, BO, CY, DEE

pytestmark = pytest.mark.anyio

CONVERSATIONS = Actor(user_id=2, name="Bo", permissions=frozenset({"conversation:read"}))

CY_WRITES = Actor(user_id=3, name="Cy", permissions=BO.permissions)

CHANGED = """subscription($id: ID, $filter: InteractionEventFilter, $after: String) {
  interactionChanged(id: $id, filter: $filter, after: $after) { topic change interactionId } }"""
ATTENTION = """subscription($filter: InteractionEventFilter, $after: String) {
  attentionChanged(filter: $filter, after: $after) {
    topic change interactionId levelBefore levelAfter reasonBefore reasonAfter interaction { id } } }"""
MESSAGES = """subscription($id: ID, $filter: InteractionEventFilter) {
  messageAdded(interactionId: $id, filter: $filter) { change interactionId message { text author } } }"""


@pytest.fixture
async def heard(house: House, database_url: str) -> AsyncIterator[Ears]:
    async with ears(house.graph, database_url) as opened:
        yield opened


def event(topic: str, change: str, ref: object) -> dict[str, object]:
    return {"topic": topic, "change": change, "interactionId": str(ref)}


async def test_everything_that_an_event_says(house: House, heard: Ears) -> None:
    await house.hear()
    listener = await heard.listen(
        """subscription { interactionChanged(filter: {}) {
          at topic change kind interactionId clientMutationId version levelBefore levelAfter
          changes { field before after } actor { name } message { text } note { id }
          interaction { __typename id assignee { name } ... on Conversation { status } viewerCan { release } } } }""",
        BO,
    )
    house.clock.advance(5)
    given = {"id": "cnv_1", "clientMutationId": "tab 1"}
    assert (await house.graph.do("claimInteraction", given, actor=BO))["clientMutationId"] == "tab 1"
    assert await listener.next() == {
        "at": "2026-01-05T09:00:05.000000Z",
        "topic": "INTERACTION_CLAIMED",
        "change": "UPDATED",
        "kind": "CONVERSATION",
        "interactionId": "cnv_1",
        "clientMutationId": "tab 1",
        "version": 2,
        "levelBefore": "NORMAL",
        "levelAfter": "NORMAL",
        "changes": [
            {"field": "assignee", "before": None, "after": "usr_2"},
            {"field": "status", "before": "TO_DO", "after": "IN_PROGRESS"},
        ],
        "actor": {"name": "Bo"},
        "message": None,
        "note": None,
        "interaction": {
            "__typename": "Conversation",
            "id": "cnv_1",
            "assignee": {"name": "Bo"},
            "status": "IN_PROGRESS",
            "viewerCan": {"release": True},
        },
    }
    assert await listener.silent()


async def test_an_interaction_is_followed_from_its_beginning_to_its_end(house: House, heard: Ears) -> None:
    all_, one = await heard.listen(CHANGED), await heard.listen(CHANGED, id="cnv_1")
    await house.hear()
    await house.hear_sam()
    await house.database.command(set_labels, BO, cnv(1), ["vip"])
    await house.database.command(delete_conversation, ADA, cnv(1))
    told = [await one.next() for _ in range(4)]
    assert told == [
        event("INTERACTION_CREATED", "ENTERED", cnv(1)),
        event("INTERACTION_MESSAGE_RECEIVED", "UPDATED", cnv(1)),
        event("INTERACTION_LABELLED", "UPDATED", cnv(1)),
        event("INTERACTION_DELETED", "LEFT", cnv(1)),
    ]
    everything = [await all_.next() for _ in range(6)]
    assert [each for each in everything if each["interactionId"] == "cnv_1"] == told
    assert {each["interactionId"] for each in everything} == {"cnv_1", "ses_2"}
    assert await one.silent()
    assert await all_.silent()


async def test_a_filter_is_matched_before_and_after_a_change(house: House, heard: Ears) -> None:
    await house.hear()
    labelled = await heard.listen(CHANGED, filter={"labels": ["vip"]})
    mine = await heard.listen(CHANGED, filter={"assignee": {"userId": "usr_2"}})
    mine_or_nobodys = await heard.listen(CHANGED, filter={"assignee": {"userIdOrNobody": "usr_3"}})
    run = house.database.command
    await run(set_labels, BO, cnv(1), ["vip", "x"])
    await run(claim, BO, cnv(1))
    await run(set_labels, BO, cnv(1), ["x"])
    await run(release, BO, cnv(1))
    assert [await labelled.next() for _ in range(3)] == [
        event("INTERACTION_LABELLED", "ENTERED", cnv(1)),
        event("INTERACTION_CLAIMED", "UPDATED", cnv(1)),
        event("INTERACTION_LABELLED", "LEFT", cnv(1)),
    ]
    assert [await mine.next() for _ in range(3)] == [
        event("INTERACTION_CLAIMED", "ENTERED", cnv(1)),
        event("INTERACTION_LABELLED", "UPDATED", cnv(1)),
        event("INTERACTION_RELEASED", "LEFT", cnv(1)),
    ]
    assert [await mine_or_nobodys.next() for _ in range(3)] == [
        event("INTERACTION_LABELLED", "UPDATED", cnv(1)),
        event("INTERACTION_CLAIMED", "LEFT", cnv(1)),
        event("INTERACTION_RELEASED", "ENTERED", cnv(1)),
    ]
    for listener in (labelled, mine, mine_or_nobodys):
        assert await listener.silent()


FILTERS: list[tuple[dict[str, object], bool]] = [
    ({"kinds": ["CONVERSATION"]}, True),
    ({"kinds": ["SESSION", "CHAT_SESSION"]}, False),
    ({"states": ["OPEN"]}, True),
    ({"states": ["CLOSED", "SNOOZED"]}, False),
    ({"assignee": {"assigned": False}}, True),
    ({"assignee": {"assigned": True}}, False),
    ({"assignee": {"userIdOrNobody": "usr_2"}}, True),
    ({"customerId": "cus_1"}, True),
    ({"customerId": "cus_2"}, False),
    ({"labels": ["a", "vip"]}, True),
    ({"labels": ["a"]}, False),
    ({"tags": ["a"]}, False),
    ({"topics": ["a"]}, False),
    ({"attentionNeeded": True}, True),
    ({"attentionNeeded": False}, False),
    ({"reasons": ["TO_DO"]}, True),
    ({"reasons": ["RAISED"]}, False),
    ({"levels": ["NORMAL", "HIGH"]}, True),
    ({"levels": ["URGENT"]}, False),
    ({"botActive": False}, True),
    ({"botActive": True}, False),
    ({"kinds": ["CONVERSATION"], "levels": ["URGENT"]}, False),
]


@pytest.mark.parametrize(("filter_", "matches"), FILTERS, ids=str)
async def test_filters_say_the_same_live_as_in_a_list(
    house: House, heard: Ears, filter_: dict[str, object], matches: bool
) -> None:
    await house.hear()
    await house.database.command(set_labels, BO, cnv(1), ["vip"])
    listener = await heard.listen(CHANGED, filter=filter_)
    await house.database.command(add_note, BO, cnv(1), "Careful")
    listed = "query($filter: InteractionFilter) { interactions(filter: $filter) { totalCount } }"
    assert (await house.graph.read(listed, filter=filter_))["interactions"]["totalCount"] == int(matches)
    if matches:
        assert await listener.next() == event("INTERACTION_NOTE_ADDED", "UPDATED", cnv(1))
    assert await listener.silent(0.03)


async def test_what_cannot_be_listened_to_is_refused(house: House, heard: Ears) -> None:
    await house.hear()
    times = {"createdAt": {"since": "2026-01-01T00:00:00Z"}}
    assert await heard.refused(CHANGED, filter=times) == [("BAD_USER_INPUT", "filter")]
    assert await heard.refused(CHANGED, id="cnv_1", filter={}) == [("INVALID_INPUT", "filter")]
    assert await heard.refused(CHANGED, filter={"assignee": {"userId": "cus_1"}}) == [
        ("INVALID_INPUT", "filter", "assignee", "userId")
    ]
    for nothing in ("usr_1", "x", "cnv_0"):
        assert await heard.refused(CHANGED, id=nothing) == [("NOT_FOUND", "id")]
    assert await heard.refused(MESSAGES, id="x") == [("NOT_FOUND", "interactionId")]
    assert await heard.refused(CHANGED, CONVERSATIONS, id="ses_1") == [("FORBIDDEN",)]
    assert await heard.refused(CHANGED, after="nonsense") == [("INVALID_CURSOR", "after")]


def test_cursor_of_the_log_is_in_every_connection() -> None:
    types = {name: type_ for name, type_ in SCHEMA.type_map.items() if name.endswith("Connection")}
    assert {"InteractionConnection", "MessageConnection", "ChatSessionConnection"} <= set(types)
    assert [name for name, type_ in types.items() if str(type_.fields["cursor"].type) != "String!"] == []  # type: ignore[attr-defined]


async def test_cursor_of_a_list_begins_a_subscription(house: House, heard: Ears) -> None:
    await house.hear()
    listed = "interactions { cursor nodes { messages { cursor nodes { id } } customer { interactions { cursor } } } }"
    found = await house.graph.read(f'{{ {listed} searchMessages(text: "x") {{ cursor }} }}', BO)
    (node,) = found["interactions"]["nodes"]
    cursor = found["interactions"]["cursor"]
    assert node["messages"]["cursor"] == node["customer"]["interactions"]["cursor"] == cursor
    assert found["searchMessages"]["cursor"] == cursor
    await house.database.command(set_labels, BO, cnv(1), ["vip"])
    selected = "cursor topic interaction { messages { cursor } }"
    listener = await heard.listen(
        f"subscription($after: String) {{ interactionChanged(after: $after) {{ {selected} }} }}", BO, after=cursor
    )
    told = await listener.next()
    # What is selected is read when the item is sent, so its cursor has seen the event.
    assert told == {
        "cursor": told["cursor"],
        "topic": "INTERACTION_LABELLED",
        "interaction": {"messages": {"cursor": told["cursor"]}},
    }
    assert await listener.silent()


async def test_filter_by_me_hears_of_the_callers_own(house: House, heard: Ears) -> None:
    await house.hear()
    await house.hear_sam()
    text = """subscription($filter: InteractionEventFilter) { interactionChanged(filter: $filter) {
        change interaction { id
        customer { interactions(filter: {assignee: {userId: "me"}}) { totalCount } } } } }"""
    given = {"assignee": {"userId": "me"}}
    mine, theirs = [await heard.listen(text, actor, filter=given) for actor in (BO, CY_WRITES)]
    both = [await heard.listen(text, actor, filter={"assignee": {"assigned": True}}) for actor in (BO, CY_WRITES)]
    await house.database.command(claim, BO, cnv(1))
    await house.database.command(assign, ADA, ses(2), CY_WRITES.user_id)

    def entered(ref: object, count: int) -> dict[str, object]:
        customer = {"interactions": {"totalCount": count}}
        return {"change": "ENTERED", "interaction": {"id": str(ref), "customer": customer}}

    assert await mine.next() == entered(cnv(1), 1)
    assert await theirs.next() == entered(ses(2), 1)
    # The same text and the same events, but what is selected is another for each caller.
    assert [await both[0].next(), await both[0].next()] == [entered(cnv(1), 1), entered(ses(2), 0)]
    assert [await both[1].next(), await both[1].next()] == [entered(cnv(1), 0), entered(ses(2), 1)]
    assert [await each.silent() for each in (mine, theirs)] == [True, True]


async def test_presence_of_users_is_told_to_everybody(house: House, heard: Ears) -> None:
    text = """subscription($userIds: [ID!], $after: String) { presenceChanged(userIds: $userIds, after: $after) {
        present userId at user { name presence { present } } } }"""
    everybody, some = await heard.listen(text, CONVERSATIONS), await heard.listen(text, CY, userIds=["usr_3"])
    house.clock.advance(5)
    cursor = (await house.graph.read("{ users { cursor } }"))["users"]["cursor"]
    for actor, present in ((BO, True), (BO, True), (CY, True), (BO, False)):
        house.clock.advance(1)  # of different users, their times are the order
        await house.graph.do("setPresence", {"present": present, "userId": f"usr_{actor.user_id}"}, actor=ADA)
    told = [await everybody.next() for _ in range(3)]
    assert [(each["userId"], each["present"]) for each in told] == [("usr_2", True), ("usr_3", True), ("usr_2", False)]
    assert told[2]["user"] == {"name": "Bo", "presence": {"present": False}}
    assert await some.next() == told[1]
    again = await heard.listen(text, DEE, after=cursor)
    assert [(await again.next())["present"] for _ in range(3)] == [True, True, False]
    again = await heard.listen(text, DEE, userIds=["usr_3"], after=cursor)
    assert (await again.next())["userId"] == "usr_3"
    assert await again.silent()
    await house.graph.do("deactivateUser", {"id": "usr_3"}, actor=ADA)
    assert (await some.next())["present"] is False
    assert await some.silent()
    assert await heard.refused(text, userIds=["cus_1"]) == [("INVALID_INPUT", "userIds", "0")]
    assert await heard.refused(text, userIds=["usr_1"] * 1_001) == [("TOO_LONG", "userIds")]


async def test_presence_of_a_user_is_told_in_its_order_whoever_changes_it(house: House, heard: Ears) -> None:
    text = "subscription($after: String) { presenceChanged(after: $after) { present } }"
    cursor = (await house.graph.read("{ users { cursor } }"))["users"]["cursor"]
    # At one time by the clock, so that nothing but the log tells the order.
    for actor, present in ((BO, True), (ADA, False), (BO, True), (ADA, False)):
        await house.graph.do("setPresence", {"present": present, "userId": "usr_2"}, actor=actor)
    told = await heard.listen(text, DEE, after=cursor)
    assert [(await told.next())["present"] for _ in range(4)] == [True, False, True, False]


async def test_nobody_hears_of_what_they_may_not_see(house: House, heard: Ears) -> None:
    some, none = await heard.listen(CHANGED, CONVERSATIONS), await heard.listen(CHANGED, DEE)
    queue = await heard.listen(ATTENTION, CONVERSATIONS)
    await house.hear_sam()
    await house.database.command(raise_attention, BO, ses(1))
    await house.hear()
    assert [(await some.next())["interactionId"] for _ in range(2)] == ["cnv_2", "cnv_2"]
    assert [(await queue.next())["interactionId"] for _ in range(2)] == ["cnv_2", "cnv_2"]
    for listener in (some, none, queue):
        assert await listener.silent()


async def test_the_attention_queue_learns_what_enters_leaves_and_differs(house: House, heard: Ears) -> None:
    all_ = await heard.listen(ATTENTION)
    free = await heard.listen(ATTENTION, filter={"assignee": {"assigned": False}})
    run = house.database.command
    await house.hear()
    await run(set_labels, BO, cnv(1), ["vip"])
    await run(raise_attention, BO, cnv(1), Level.URGENT)
    await run(acknowledge, BO, cnv(1))
    await run(assign, ADA, cnv(1), 3)
    await house.graph.do("clearAttention", {"id": "cnv_1"}, actor=CY_WRITES)
    await run(delete_conversation, ADA, cnv(1))

    def told(topic: str, change: str, levels: str, reasons: str = "None None") -> object:
        before, after = (None if each == "None" else each for each in levels.split())
        why_before, why_after = (None if each == "None" else each for each in reasons.split())
        return {
            "topic": topic,
            "change": change,
            "interactionId": "cnv_1",
            "levelBefore": before,
            "levelAfter": after,
            "reasonBefore": why_before,
            "reasonAfter": why_after,
        }

    found = []
    for _ in range(7):
        item = await all_.next()
        del item["interaction"]
        found.append(item)
    assert found == [
        told("ATTENTION_RAISED", "ENTERED", "None LOW", "None TO_DO"),
        told("ATTENTION_CHANGED", "UPDATED", "LOW NORMAL", "TO_DO CUSTOMER_WAITING"),
        told("ATTENTION_CHANGED", "UPDATED", "NORMAL URGENT", "CUSTOMER_WAITING RAISED"),
        told("INTERACTION_ACKNOWLEDGED", "UPDATED", "URGENT URGENT"),
        told("INTERACTION_ASSIGNED", "UPDATED", "URGENT URGENT"),
        told("ATTENTION_CHANGED", "UPDATED", "URGENT NORMAL", "RAISED CUSTOMER_WAITING"),
        told("ATTENTION_CLEARED", "LEFT", "NORMAL None", "CUSTOMER_WAITING None"),
    ]
    assert [(await free.next())["change"] for _ in range(5)] == ["ENTERED", "UPDATED", "UPDATED", "UPDATED", "LEFT"]
    assert await all_.silent()
    assert await free.silent()


async def test_messages_come_with_what_is_asked_of_them(house: House, heard: Ears) -> None:
    all_, others = await heard.listen(MESSAGES), await heard.listen(MESSAGES, id="cnv_99")
    await house.hear("Hello")
    await house.database.command(send_message, BO, cnv(1), said("Hi"))
    await house.database.command(add_note, BO, cnv(1), "no message")
    first, second = await all_.next(), await all_.next()
    assert first["message"] == {"text": "Hello", "author": "CUSTOMER"}
    assert second == {"change": "UPDATED", "interactionId": "cnv_1", "message": {"text": "Hi", "author": "USER"}}
    assert await all_.silent()
    assert await others.silent()


async def test_typing_is_seen_while_it_lasts(house: House, heard: Ears) -> None:
    await house.hear()
    query = 'subscription { typingChanged(interactionId: "cnv_1") { interactionId user { name } at until } }'
    listener, changed = await heard.listen(query), await heard.listen(CHANGED)
    await house.database.command(type_in, BO, cnv(1))
    assert await listener.next() == {
        "interactionId": "cnv_1",
        "user": {"name": "Bo"},
        "at": "2026-01-05T09:00:00.000000Z",
        "until": "2026-01-05T09:00:06.000000Z",
    }
    assert await changed.silent()


async def test_the_summary_comes_at_once_and_after_changes(house: House, heard: Ears) -> None:
    query = "subscription { attentionSummaryChanged(groupBy: LEVEL) { count groups { level count } } }"
    listener, blind = await heard.listen(query), await heard.listen(query, DEE)
    assert await listener.next() == await blind.next() == {"count": 0, "groups": []}
    await house.hear()
    assert await listener.next() == {"count": 1, "groups": [{"level": "NORMAL", "count": 1}]}
    for number in range(5):
        await house.database.command(raise_attention, BO, cnv(1), Level.URGENT if number % 2 else Level.HIGH)
    await house.database.command(claim, BO, cnv(1))
    found = await listener.next()
    while found["groups"] != [{"level": "HIGH", "count": 1}]:
        found = await listener.next()
    assert await listener.silent(0.3)
    assert await blind.silent()


def told_of(item: dict[str, object]) -> tuple[object, object]:
    return item["topic"], item["version"]


async def test_who_does_not_keep_up_reads_the_log_again(house: House, heard: Ears) -> None:
    await house.hear()
    query = 'subscription { interactionChanged(id: "cnv_1") { version interaction { version } } }'
    quick, slow = await heard.listen(query), await heard.listen(query)
    typing = await heard.listen('subscription { typingChanged(interactionId: "cnv_1") { at } }')

    def many(work: Work, first: int) -> None:
        for number in range(first, first + 100):
            set_labels(work, BO, cnv(1), [str(number)])
            type_in(work, BO, cnv(1))

    for first in range(0, 600, 100):
        await house.database.command(many, first)
        assert [(await quick.next())["version"] for _ in range(100)] == list(range(first + 2, first + 102))
    house.graph.statements.clear()
    found = [await slow.next() for _ in range(600)]
    assert [each["version"] for each in found] == list(range(2, 602))
    # What is read again is read in pages, not one by one, and shows the state of now.
    assert {each["interaction"]["version"] for each in found[:300]} == {601}
    # The tail polls the log meanwhile, as often as there is time for: what it reads is left out. The first pages are
    # smaller than those that follow.
    assert 38 <= len([sql for sql in house.graph.statements if "FROM interaction" in sql]) <= 42
    await house.database.command(many, 600)
    assert (await slow.next())["version"] == 602
    # Signs of typing that came too fast are left out.
    passed = 0
    while not await typing.silent(0.02):
        await typing.next()
        passed += 1
    assert passed < 700


async def test_who_comes_back_gets_what_they_missed_once_and_in_order(house: House, heard: Ears) -> None:
    await house.hear()
    start = (await house.graph.read("{ attentionQueue { cursor } }"))["attentionQueue"]["cursor"]
    for number in range(10):
        await house.database.command(set_labels, BO, cnv(1), [str(number)])
        await house.hear_sam(str(number))
    query = """subscription($after: String) { interactionChanged(after: $after) { cursor topic interactionId
      version } }"""
    whole = await heard.listen(query, after=start)
    seen = [await whole.next() for _ in range(21)]
    assert await whole.silent()
    assert [each["version"] for each in seen if each["interactionId"] == "cnv_1"] == list(range(2, 12))
    back = []
    for index in (0, 7, 20):
        again = await heard.listen(query, after=seen[index]["cursor"])
        rest = [await again.next() for _ in range(20 - index)]
        # Each interaction's events keep their order; those of two may come in another.
        for ref in ("cnv_1", "ses_2"):
            assert [told_of(each) for each in rest if each["interactionId"] == ref] == [
                told_of(each) for each in seen[index + 1 :] if each["interactionId"] == ref
            ]
        assert await again.silent(0.02)
        back.append(again)
    await house.database.command(set_labels, BO, cnv(1), ["live"])
    assert [(await listener.next())["version"] for listener in (whole, *back)] == [12] * 4


async def test_an_erased_customers_interactions_leave_every_list(house: House, heard: Ears) -> None:
    await house.hear()
    listener, queue = await heard.listen(CHANGED, filter={"kinds": ["CONVERSATION"]}), await heard.listen(ATTENTION)
    await house.database.command(erase_customer, ADA, f"cus_{house.desk.ana}")
    assert await listener.next() == event("INTERACTION_DELETED", "LEFT", cnv(1))
    left = await queue.next()
    assert (left["topic"], left["change"], left["interaction"]) == ("ATTENTION_CLEARED", "LEFT", None)


async def test_equal_subscriptions_share_their_reading(house: House, heard: Ears) -> None:
    await house.hear()
    query = "subscription($after: String) { interactionChanged(after: $after) { topic interaction { id state } } }"
    listeners = [await heard.listen(query, BO) for _ in range(20)]
    listeners.append(await heard.listen(query, CY_WRITES))
    house.graph.statements.clear()
    await house.database.command(set_labels, BO, cnv(1), ["a"])
    assert len({str(await listener.next()) for listener in listeners}) == 1
    reads = [sql for sql in house.graph.statements if "FROM interaction" in sql and "keys" in sql]
    assert len(reads) == 1
    # What looks at the actor is shared by the listeners of one actor alone.
    personal = "subscription { interactionChanged { interaction { viewerCan { claim } } } }"
    bo, cy = await heard.listen(personal, BO), await heard.listen(personal, CY)
    await house.database.command(set_labels, BO, cnv(1), ["b"])
    assert (await bo.next())["interaction"]["viewerCan"] == {"claim": True}
    assert (await cy.next())["interaction"]["viewerCan"] == {"claim": False}
