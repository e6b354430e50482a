"""Chats as a client sees them; the example of the contract's page done and read back field by field."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from app.interactions.model import State
from app.interactions.service.holding import claim
from app.interactions.service.messages import receive_message
from app.kinds.chat_session.model.session import ChatSession, ChatSessionStatus
from app.kinds.chat_session.model.topic import ChatTopic
from app.kinds.chat_session.repository import ChatSessionRepository, ChatTopicRepository
from app.kinds.chat_session.service.requests import digest
from app.kinds.chat_session.service.sessions import update_chat_session
from app.settings import Settings
from app.storage.database import Work
from tests.conftest import START, ManualClock
from tests.graph.running import Graph, open_graph
from tests.kinds.chat_session.conftest import EVE, FAY, GUS, Desk, event_count, furnish, request
from tests.kinds.conftest import ADA, BO, CY, DEE

pytestmark = pytest.mark.anyio

MASKED = "********"
AT_9 = "2026-01-05T09:00:00.000000Z"
EVERYTHING = """
  chatSessionId topicId topic { topicId } user { id name } customerAlias customerHost customerName customerEmail
  customerPhone customerConsented customerCompanyName status firstMessage lastMessage
  person { personId firstname lastname fullName email contactId } contact { contactId name }
  project { projectId name } sale { saleId title amount currency } ticket { ticketId title baseStatus }
  whenRequested whenStarted whenEnded whenIdle whenFetched sessionKey initialQueuePos alertLevel rank
  customerIsTyping userIsTyping transferTo { id } chatbotIsActive rating
"""


@pytest.fixture
async def graph(database_url: str, clock: ManualClock, settings: Settings) -> AsyncIterator[Graph]:
    opened = await open_graph(database_url, clock, settings)
    yield opened
    await opened.database.close()


@pytest.fixture
async def desk(graph: Graph) -> Desk:
    return await graph.database.command(furnish)


def chat_of_the_request(work: Work) -> ChatSession:
    """Chat 446 of topic 918, as its server-made fields are on the page, going on in BO's hands."""
    topic = ChatTopic(id=0, topic_id=918, name="Page", created_at=START, updated_at=START)
    stored = work.use(ChatTopicRepository).add(topic)
    return work.use(ChatSessionRepository).add(
        ChatSession(
            id=0,
            customer_id=None,
            assignee_id=BO.user_id,
            chat_session_id=446,
            topic_id=stored.id,
            status=ChatSessionStatus.USER_LAST,
            first_message="consectetur",
            last_message="vero",
            when_requested=datetime.fromisoformat("2018-11-21T16:32:47.149278+01:00"),
            when_started=datetime.fromisoformat("2002-01-24T16:32:47.149278+01:00"),
            when_idle=datetime.fromisoformat("2024-03-22T16:32:47.149278+01:00"),
            when_fetched=datetime.fromisoformat("2009-08-21T16:32:47.149278+02:00"),
            session_key_digest=digest("aliquam"),
            initial_queue_pos=161,
            rank=992,
            rank_user_id=BO.user_id,
            user_is_typing=True,
            created_at=START,
            updated_at=START,
        )
    )


def chat_of_the_response(work: Work) -> ChatSession:
    """Chat 807 of topic 978, as the page has it."""
    topic = ChatTopic(id=0, topic_id=978, name="Page", created_at=START, updated_at=START)
    stored = work.use(ChatTopicRepository).add(topic)
    return work.use(ChatSessionRepository).add(
        ChatSession(
            id=0,
            customer_id=None,
            state=State.CLOSED,
            chat_session_id=807,
            topic_id=stored.id,
            status=ChatSessionStatus.CLOSED,
            customer_alias="tenetur",
            customer_host="qui",
            customer_name="Streich, Renner and Moore",
            customer_email="araceli@deckow.biz",
            customer_phone="435.238.3167 x18203",
            customer_consented=False,
            customer_company_name="Hamill-Veum",
            first_message="id",
            last_message="corrupti",
            when_requested=datetime.fromisoformat("2019-05-24T16:32:47.149278+02:00"),
            when_started=datetime.fromisoformat("2020-05-19T16:32:47.149278+02:00"),
            when_ended=datetime.fromisoformat("2018-12-28T16:32:47.149278+01:00"),
            when_idle=datetime.fromisoformat("2008-01-28T16:32:47.149278+01:00"),
            when_fetched=datetime.fromisoformat("2016-07-05T16:32:47.149278+02:00"),
            session_key_digest=digest("aut"),
            initial_queue_pos=156,
            alert_level=478,
            rank=772,
            rating=96,
            created_at=START,
            updated_at=START,
        )
    )


async def test_the_request_of_the_page(graph: Graph, clock: ManualClock, desk: Desk) -> None:
    """PUT of chat 446: its writable fields, read back with all the others."""
    session = await graph.database.command(chat_of_the_request)
    clock.advance(60)
    given = {
        "id": f"chs_{session.id}",
        "topicId": 918,
        "person": None,
        "customerAlias": "accusamus",
        "customerHost": "voluptates",
        "customerName": "Nolan-Lubowitz",
        "customerEmail": "sophie@williamsonglover.uk",
        "customerPhone": "1-233-953-9004",
        "customerConsented": False,
        "customerCompanyName": "Bruen, Torp and Kautzer",
        "status": "CLOSED",
        "sessionKey": "aliquam",
        "alertLevel": 504,
        "customerIsTyping": False,
        "userIsTyping": False,
        "contact": None,
        "project": None,
        "sale": None,
        "ticket": None,
        "chatbotIsActive": False,
        "rating": 751,
        "ifVersion": 1,
        "clientMutationId": "mine",
    }
    payload = await graph.do("updateChatSession", given, f"chatSession {{ {EVERYTHING} state version }}", BO)
    assert payload["clientMutationId"] == "mine"
    expected = {
        "chatSessionId": 446,
        "topicId": 918,
        "topic": {"topicId": 918},
        "user": {"id": "usr_2", "name": "Bo"},
        "person": None,
        "customerAlias": "accusamus",
        "customerHost": "voluptates",
        "customerName": "Nolan-Lubowitz",
        "customerEmail": "sophie@williamsonglover.uk",
        "customerPhone": "1-233-953-9004",
        "customerConsented": False,
        "customerCompanyName": "Bruen, Torp and Kautzer",
        "status": "CLOSED",
        "firstMessage": "consectetur",
        "lastMessage": "vero",
        "whenRequested": "2018-11-21T15:32:47.149278Z",
        "whenStarted": "2002-01-24T15:32:47.149278Z",
        "whenEnded": "2026-01-05T09:01:00.000000Z",
        "whenIdle": "2024-03-22T15:32:47.149278Z",
        "whenFetched": "2009-08-21T14:32:47.149278Z",
        "sessionKey": MASKED,
        "initialQueuePos": 161,
        "alertLevel": 504,
        "rank": 992,
        "customerIsTyping": False,
        "userIsTyping": False,
        "contact": None,
        "project": None,
        "sale": None,
        "ticket": None,
        "transferTo": None,
        "chatbotIsActive": False,
        "rating": 751,
        "state": "CLOSED",
        "version": 2,
    }
    assert payload["chatSession"] == expected
    document = f"{{ chatSession(chatSessionId: 446) {{ {EVERYTHING} state version }} }}"
    assert (await graph.read(document, BO))["chatSession"] == expected


async def test_the_response_of_the_page(graph: Graph, desk: Desk) -> None:
    await graph.database.command(chat_of_the_response)
    document = f"""{{ chatSession(chatSessionId: 807) {{
      {EVERYTHING} tableRight {{ mask reason }} fieldProperties {{ name right type length }}
    }} }}"""
    found = (await graph.read(document, BO))["chatSession"]
    properties = {entry.pop("name"): entry for entry in found.pop("fieldProperties")}
    assert found == {
        "chatSessionId": 807,
        "topicId": 978,
        "topic": {"topicId": 978},
        "user": None,
        "person": None,
        "customerAlias": "tenetur",
        "customerHost": "qui",
        "customerName": "Streich, Renner and Moore",
        "customerEmail": "araceli@deckow.biz",
        "customerPhone": "435.238.3167 x18203",
        "customerConsented": False,
        "customerCompanyName": "Hamill-Veum",
        "status": "CLOSED",
        "firstMessage": "id",
        "lastMessage": "corrupti",
        "whenRequested": "2019-05-24T14:32:47.149278Z",
        "whenStarted": "2020-05-19T14:32:47.149278Z",
        "whenEnded": "2018-12-28T15:32:47.149278Z",
        "whenIdle": "2008-01-28T15:32:47.149278Z",
        "whenFetched": "2016-07-05T14:32:47.149278Z",
        "sessionKey": MASKED,
        "initialQueuePos": 156,
        "alertLevel": 478,
        "rank": 772,
        "customerIsTyping": False,
        "userIsTyping": False,
        "contact": None,
        "project": None,
        "sale": None,
        "ticket": None,
        "transferTo": None,
        "chatbotIsActive": False,
        "rating": 96,
        "tableRight": {"mask": ["SELECT", "UPDATE", "INSERT", "DELETE"], "reason": None},
    }
    assert len(properties) == 31
    assert properties["customerPhone"] == {"right": "UPDATE", "type": "System.String", "length": 32}
    assert properties["chatSessionId"] == {"right": "READ", "type": "System.Int32", "length": None}
    right = (await graph.read("{ chatSession(chatSessionId: 807) { tableRight { mask reason } } }", CY))["chatSession"]
    assert right["tableRight"] == {"mask": ["SELECT"], "reason": "This needs the permission chat_session:write."}


async def test_a_request_gives_its_session_key_once(graph: Graph, desk: Desk) -> None:
    given = {
        "topicId": desk.sales,
        "customerName": "Ola",
        "customerConsented": True,
        "customerId": f"cus_{desk.ana}",
        "person": {"personId": 7, "fullName": "Ola Nordmann"},
        "sale": {"saleId": 3, "amount": 12.5, "currency": "NOK"},
        "idempotencyKey": "once",
    }
    gives = f"sessionKey chatSession {{ {EVERYTHING} id customer {{ name }} }}"
    payload = await graph.do("requestChatSession", given, gives, BO)
    assert len(payload["sessionKey"]) == 43
    session = payload["chatSession"]
    assert session["sessionKey"] == MASKED
    assert session["customer"] == {"name": "Ana"}
    assert session["person"] == {
        "personId": 7,
        "firstname": None,
        "lastname": None,
        "fullName": "Ola Nordmann",
        "email": None,
        "contactId": None,
    }
    assert session["sale"] == {"saleId": 3, "title": None, "amount": 12.5, "currency": "NOK"}
    assert (session["status"], session["initialQueuePos"], session["whenRequested"]) == ("IN_QUEUE", 1, AT_9)
    again = await graph.do("requestChatSession", given, "sessionKey chatSession { id }", BO)
    assert (again["sessionKey"], again["chatSession"]["id"]) == (None, session["id"])
    fetched = {"id": session["id"], "sessionKey": payload["sessionKey"]}
    read = await graph.do("markFetched", fetched, "chatSession { whenFetched version }", BO)
    assert read["chatSession"] == {"whenFetched": AT_9, "version": 1}
    wrong = await graph.attempt("markFetched", fetched | {"sessionKey": "wrong"}, "chatSession { id }", BO)
    assert codes(wrong) == [("INVALID_INPUT", ["input", "sessionKey"])]


async def test_a_chat_from_the_queue_to_its_rating(graph: Graph, desk: Desk) -> None:
    chat = str(await request(graph.database, desk.sales))
    shown = "chatSession { status user { id } rank transferTo { id } attention { reason level } state rating }"
    taken = await graph.do("pickUpChatSession", {"topicId": desk.sales}, f"{shown}", BO)
    assert taken["chatSession"] == {
        "status": "USER_LAST",
        "user": {"id": "usr_2"},
        "rank": 1,
        "transferTo": None,
        "attention": {"reason": None, "level": None},
        "state": "OPEN",
        "rating": None,
    }
    late = await graph.attempt("pickUpChatSession", {"id": chat}, "chatSession { id }", EVE)
    assert late["errors"][0]["claimedBy"] == {"id": "usr_2"}
    nothing = await graph.do("pickUpChatSession", {}, "chatSession { id }", EVE)
    assert nothing["chatSession"] is None

    for receiver, code in ((FAY, "CONFLICT"), (GUS, "CONFLICT"), (BO, "INVALID_INPUT")):
        given = {"id": chat, "userId": f"usr_{receiver.user_id}"}
        refused = await graph.attempt("transferChatSession", given, "chatSession { id }", BO)
        assert codes(refused) == [(code, ["input", "userId"])]
    offer = {"id": chat, "userId": "usr_5"}
    offered = await graph.do("transferChatSession", offer, shown, BO)
    assert offered["chatSession"]["transferTo"] == {"id": "usr_5"}
    assert offered["chatSession"]["attention"] == {"reason": "TRANSFER", "level": "HIGH"}
    cancelled = await graph.do("cancelChatTransfer", {"id": chat}, shown, BO)
    assert cancelled["chatSession"]["transferTo"] is None
    await graph.do("transferChatSession", offer, "", BO)
    await graph.do("rejectChatTransfer", {"id": chat}, "", EVE)
    await graph.do("transferChatSession", offer, "", BO)
    accepted = await graph.do("acceptChatTransfer", {"id": chat}, shown, EVE)
    assert (accepted["chatSession"]["user"], accepted["chatSession"]["transferTo"]) == ({"id": "usr_5"}, None)

    reset = await graph.do("resetChatSession", {"id": chat}, shown, EVE)
    assert (reset["chatSession"]["status"], reset["chatSession"]["user"]) == ("IN_QUEUE", None)
    await graph.do("pickUpChatSession", {"id": chat}, "", BO)
    rated = await graph.do("rateChatSession", {"id": chat, "rating": 5}, shown, BO)
    assert rated["chatSession"]["rating"] == 5
    deleted = await graph.do("deleteChatSession", {"id": chat}, shown, BO)
    assert (deleted["chatSession"]["status"], deleted["chatSession"]["state"]) == ("DELETED", "CLOSED")

    document = """query($id: ID!) { node(id: $id) { ... on ChatSession {
      messages { edges { node { messageType specialType authorName text } } }
      history(first: 100, orderBy: {field: AT, direction: ASC}) { edges { node { topic } } }
    } } }"""
    found = (await graph.read(document, BO, id=chat))["node"]
    assert [edge["node"]["specialType"] for edge in found["messages"]["edges"]] == [
        "WELCOME",
        "TRANSFER_REJECTED",
        "TRANSFERED_SESSION",
        "WELCOME",
    ]
    happened = [edge["node"]["topic"] for edge in found["history"]["edges"]]
    assert [topic for topic in happened if topic.startswith("INTERACTION_")] == [
        "INTERACTION_REQUESTED",
        "INTERACTION_MESSAGE_SENT",
        "INTERACTION_PICKED_UP",
        "INTERACTION_TRANSFERRED",
        "INTERACTION_TRANSFER_CANCELLED",
        "INTERACTION_TRANSFERRED",
        "INTERACTION_MESSAGE_SENT",
        "INTERACTION_TRANSFER_REJECTED",
        "INTERACTION_TRANSFERRED",
        "INTERACTION_MESSAGE_SENT",
        "INTERACTION_TRANSFER_ACCEPTED",
        "INTERACTION_RESET",
        "INTERACTION_MESSAGE_SENT",
        "INTERACTION_PICKED_UP",
        "INTERACTION_RATED",
        "INTERACTION_DELETED",
    ]


async def test_the_queue_is_in_its_order_and_of_one_topic_or_all(graph: Graph, clock: ManualClock, desk: Desk) -> None:
    chats = []
    for topic in (desk.sales, desk.open, desk.open):
        chats.append(await request(graph.database, topic))
        clock.advance(10)
    await graph.database.command(update_chat_session, BO, chats[2], {"alert_level": 3})
    taken = await request(graph.database, desk.open)
    await graph.database.command(claim, BO, taken)
    document = """query($topicId: Int, $first: Int, $after: String) {
      chatQueue(topicId: $topicId, first: $first, after: $after) {
        totalCount pageInfo { hasNextPage endCursor } edges { node { id attention { waitingSeconds } } }
      }
    }"""
    whole = (await graph.read(document, BO))["chatQueue"]
    order = [str(chats[2]), str(chats[0]), str(chats[1])]
    assert [edge["node"]["id"] for edge in whole["edges"]] == order
    assert [edge["node"]["attention"]["waitingSeconds"] for edge in whole["edges"]] == [10, 30, 20]
    assert whole["totalCount"] == 3
    first = (await graph.read(document, BO, first=2))["chatQueue"]
    assert first["pageInfo"]["hasNextPage"] is True
    rest = (await graph.read(document, BO, first=2, after=first["pageInfo"]["endCursor"]))["chatQueue"]
    assert [edge["node"]["id"] for edge in rest["edges"]] == order[2:]
    of_one = (await graph.read(document, BO, topicId=desk.sales))["chatQueue"]
    assert [edge["node"]["id"] for edge in of_one["edges"]] == [str(chats[0])]


async def test_topics_and_their_members(graph: Graph, desk: Desk) -> None:
    hours = [{"day": "MONDAY", "opens": "08:00", "closes": "16:00"}]
    shown = """chatTopic { id topicId name description welcomeMessage language botEnabled initialStatus timeZone
      openingHours { day opens closes } offlineMessage ticketEnabled ticketCategoryId ticketPriorityId queueLength
      createdAt updatedAt }"""
    made = await graph.do(
        "createChatTopic",
        {
            "name": "Support",
            "topicId": 918,
            "welcomeMessage": "Hi",
            "initialStatus": "FAQ",
            "openingHours": hours,
            "timeZone": "Europe/Oslo",
            "ticketEnabled": True,
            "ticketCategoryId": 4,
        },
        shown,
        BO,
    )
    topic = made["chatTopic"]
    assert topic == {
        "id": topic["id"],
        "topicId": 918,
        "name": "Support",
        "description": None,
        "welcomeMessage": "Hi",
        "language": None,
        "botEnabled": False,
        "initialStatus": "FAQ",
        "timeZone": "Europe/Oslo",
        "openingHours": hours,
        "offlineMessage": None,
        "ticketEnabled": True,
        "ticketCategoryId": 4,
        "ticketPriorityId": None,
        "queueLength": 0,
        "createdAt": AT_9,
        "updatedAt": AT_9,
    }
    changed = await graph.do(
        "updateChatTopic", {"id": topic["id"], "name": "Help", "welcomeMessage": None, "openingHours": []}, shown, BO
    )
    assert changed["chatTopic"] == topic | {"name": "Help", "welcomeMessage": None, "openingHours": []}
    refused = await graph.attempt("updateChatTopic", {"id": topic["id"], "name": " "}, "chatTopic { id }", BO)
    assert codes(refused) == [("INVALID_INPUT", ["input", "name"])]

    given = {"chatTopicId": topic["id"], "userId": "usr_5", "canRespond": True}
    added = await graph.do("addChatTopicMember", given, "chatTopicMember { id present ongoingChats canRespond }", BO)
    member = added["chatTopicMember"]
    assert member == {"id": member["id"], "present": True, "ongoingChats": 0, "canRespond": True}
    changed = await graph.do(
        "updateChatTopicMember",
        {"id": member["id"], "canNotify": True},
        "chatTopicMember { canRespond canListen canManage canNotify user { name } topic { id } }",
        BO,
    )
    assert changed["chatTopicMember"] == {
        "canRespond": True,
        "canListen": False,
        "canManage": False,
        "canNotify": True,
        "user": {"name": "Eve"},
        "topic": {"id": topic["id"]},
    }
    document = "query($id: ID!) { chatTopic(id: $id) { members { totalCount edges { node { user { id } } } } } }"
    members = (await graph.read(document, BO, id=topic["id"]))["chatTopic"]["members"]
    assert members == {"totalCount": 1, "edges": [{"node": {"user": {"id": "usr_5"}}}]}
    removed = await graph.do("removeChatTopicMember", {"id": member["id"]}, "deletedId", BO)
    assert removed["deletedId"] == member["id"]
    gone = await graph.do("deleteChatTopic", {"id": topic["id"]}, "deletedId", BO)
    assert gone["deletedId"] == topic["id"]
    topics = (await graph.read("{ chatTopics { totalCount edges { node { name queueLength } } } }", BO))["chatTopics"]
    assert [edge["node"]["name"] for edge in topics["edges"]] == ["Sales", "Open", "Form", "Faq", "Bot"]


async def test_viewer_can_is_what_the_commands_allow(graph: Graph, desk: Desk) -> None:
    chat = await request(graph.database, desk.sales)
    document = """query($id: ID!) { interaction(id: $id) { viewerCan {
      claim release reply receive close reopen transfer acceptTransfer rate snooze delete update
    } } }"""

    async def allowed(actor: Any) -> set[str]:
        found = (await graph.read(document, actor, id=str(chat)))["interaction"]["viewerCan"]
        return {name for name, may in found.items() if may}

    assert await allowed(BO) == {"claim", "reply", "receive", "close", "delete", "update"}
    assert await allowed(GUS) == {"reply", "receive", "close", "delete", "update"}
    assert await allowed(CY) == set()
    await graph.database.command(claim, BO, chat)
    held = {"reply", "receive", "close", "rate", "delete", "update"}
    assert await allowed(BO) == held | {"claim", "release", "transfer"}
    assert await allowed(EVE) == held - {"reply"}


async def test_who_may_not_read_sees_nothing(graph: Graph, desk: Desk) -> None:
    chat = await request(graph.database, desk.sales)
    mixed = "query($id: ID!) { node(id: $id) { id } interactions { totalCount } }"
    assert await graph.read(mixed, DEE, id=str(chat)) == {"node": None, "interactions": {"totalCount": 0}}
    for document in (
        "{ chatSession(chatSessionId: 1) { id } }",
        "{ chatQueue { totalCount } }",
        "{ chatTopics { totalCount } }",
    ):
        answer = await graph.answer(document, DEE)
        assert [error["extensions"]["code"] for error in answer["errors"]] == ["FORBIDDEN"]
    before = await event_count(graph.database)
    for mutation, given in (
        ("requestChatSession", {"topicId": desk.sales}),
        ("pickUpChatSession", {}),
        ("createChatTopic", {"name": "A"}),
    ):
        assert [code for code, _ in codes(await graph.attempt(mutation, given, "", CY))] == ["FORBIDDEN"]
    refused = await graph.attempt("updateChatSession", {"id": str(chat), "customerHost": "h"}, "", DEE)
    assert codes(refused) == [("NOT_FOUND", ["input", "id"])]
    assert await event_count(graph.database) == before


async def test_the_attention_queue_has_chats_by_their_reasons(graph: Graph, clock: ManualClock, desk: Desk) -> None:
    chat = await request(graph.database, desk.sales)
    await graph.database.command(claim, BO, chat)
    said = [{"type": "text", "content": "Hello?"}]
    await graph.database.command(receive_message, BO, {"interaction": chat}, said)
    clock.advance(7)
    document = """query($id: ID!) { interaction(id: $id) {
      kind attention { needed reason reasons level since waitingSeconds } latestMessage { text messageType }
    } }"""
    assert (await graph.read(document, BO, id=str(chat)))["interaction"] == {
        "kind": "CHAT_SESSION",
        "attention": {
            "needed": True,
            "reason": "CUSTOMER_WAITING",
            "reasons": ["CUSTOMER_WAITING"],
            "level": "NORMAL",
            "since": AT_9,
            "waitingSeconds": 7,
        },
        "latestMessage": {"text": "Hello?", "messageType": "TO_USER"},
    }


async def test_the_shared_commands_on_a_chat(graph: Graph, desk: Desk) -> None:
    """Every command of the table that all kinds share, as far as no other test here gives it to a chat."""
    chat = str(await request(graph.database, desk.open))
    held = "interaction { assignee { id } attention { claimedBy { id } } ... on ChatSession { status rank } }"
    claimed = await graph.do("claimInteraction", {"id": chat, "leaseSeconds": 60}, held, BO)
    assert claimed["interaction"] == {
        "assignee": {"id": "usr_2"},
        "attention": {"claimedBy": {"id": "usr_2"}},
        "status": "USER_LAST",
        "rank": 1,
    }
    target = {"target": {"interactionId": chat}, "contents": [{"text": {"content": "Hello"}}]}
    got = await graph.do("receiveMessage", target, "interaction { unreadCustomerMessagesCount }", BO)
    assert got["interaction"] == {"unreadCustomerMessagesCount": 1}
    read = await graph.do("markRead", {"id": chat}, "interaction { unreadCustomerMessagesCount version }", BO)
    assert read["interaction"] == {"unreadCustomerMessagesCount": 0, "version": 2}
    acknowledged = await graph.do(
        "acknowledgeAttention", {"id": chat}, "interaction { attention { reason acknowledgedBy { id } } }", BO
    )
    assert acknowledged["interaction"]["attention"] == {
        "reason": "CUSTOMER_WAITING",
        "acknowledgedBy": {"id": "usr_2"},
    }
    sent = await graph.do(
        "sendMessage",
        {"id": chat, "content": {"text": {"content": "Hi"}}},
        "message { id messageType specialType readByCustomer } interaction { ... on ChatSession { status } }",
        BO,
    )
    message = sent["message"].pop("id")
    assert sent["message"] == {"messageType": "TO_CUSTOMER", "specialType": "NONE", "readByCustomer": False}
    assert sent["interaction"] == {"status": "USER_LAST"}
    noted = await graph.do("addNote", {"id": chat, "text": "VIP"}, "interaction { latestNote { text } }", BO)
    assert noted["interaction"] == {"latestNote": {"text": "VIP"}}
    labelled = await graph.do("setLabels", {"id": chat, "labels": ["vip"]}, "interaction { labels }", BO)
    assert labelled["interaction"] == {"labels": ["vip"]}
    raised = await graph.do("raiseAttention", {"id": chat}, "interaction { attention { reasons } }", BO)
    assert raised["interaction"]["attention"] == {"reasons": ["RAISED"]}
    cleared = await graph.do("clearAttention", {"id": chat}, "interaction { attention { needed } }", BO)
    assert cleared["interaction"]["attention"] == {"needed": False}
    released = await graph.do("releaseInteraction", {"id": chat}, held, BO)
    assert (released["interaction"]["status"], released["interaction"]["assignee"]) == ("IN_QUEUE", None)
    closed = await graph.do("closeInteraction", {"id": chat}, held, BO)
    assert closed["interaction"]["status"] == "CLOSED_FROM_QUEUE"
    reopened = await graph.do("reopenInteraction", {"id": chat}, held, BO)
    assert reopened["interaction"]["status"] == "USER_LAST"
    count = await event_count(graph.database)
    for mutation, given in (
        ("snoozeInteraction", {"id": chat, "until": "2027-01-01T00:00:00Z"}),
        ("unsnoozeInteraction", {"id": chat}),
        ("setReaction", {"id": message, "reaction": "👍"}),
        ("reportMessageStatus", {"id": message, "status": "READ"}),
    ):
        assert [code for code, _ in codes(await graph.attempt(mutation, given, "", BO))] == ["NOT_SUPPORTED"]
    assert await event_count(graph.database) == count


async def test_a_bad_input_names_its_field(graph: Graph, desk: Desk) -> None:
    chat = await request(graph.database, desk.sales)
    before = await event_count(graph.database)
    for given, code, path in (
        ({"customerAlias": "a" * 65}, "TOO_LONG", ["input", "customerAlias"]),
        ({"alertLevel": -1}, "INVALID_INPUT", ["input", "alertLevel"]),
        ({"sale": {"saleId": 1, "title": "a" * 256}}, "TOO_LONG", ["input", "sale", "title"]),
        ({"topicId": 999}, "NOT_FOUND", ["input", "topicId"]),
        ({"status": "FAQ"}, "INVALID_TRANSITION", ["input", "status"]),
        ({"sessionKey": "wrong"}, "INVALID_INPUT", ["input", "sessionKey"]),
        ({"rating": 5}, "INVALID_TRANSITION", ["input", "rating"]),
        ({"ifVersion": 7}, "VERSION_CONFLICT", ["input", "ifVersion"]),
    ):
        refused = await graph.attempt("updateChatSession", {"id": str(chat), **given}, "chatSession { id }", ADA)
        assert refused["chatSession"] is None
        assert codes(refused) == [(code, path)]
    assert await event_count(graph.database) == before


def codes(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["path"]) for error in payload["errors"]]
