"""Topics with their members, and chats in every place of their state machine, made by the graph's own mutations."""

from typing import Any

from app.kinds.chat_session.model.topic import Weekday
from tests.graph.exchanges import receive, text
from tests.graph.people import People
from tests.graph.running import Graph

CHAT = "chatSession { id chatSessionId }"

REFERENCES: dict[str, Any] = {
    "person": {"personId": 5, "firstname": "Zoë", "lastname": "Straße", "email": "zoe@example.com"},
    "contact": {"contactId": 6, "name": 'Straße "AS"'},
    "project": {"projectId": 7, "name": "P"},
    "sale": {"saleId": 8, "title": "S", "amount": 12.5, "currency": "NOK"},
    "ticket": {"ticketId": 9, "title": "T", "baseStatus": "ACTIVE"},
}


async def store_topics(graph: Graph, people: People) -> list[str]:
    """A topic for everybody, and one of members with a bot and a form."""
    support = await graph.do(
        "createChatTopic",
        {"name": "Support", "topicId": 1, "welcomeMessage": "Welcome, how can we help?", "language": "en"},
        "chatTopic { id }",
    )
    sales = await graph.do(
        "createChatTopic",
        {
            "name": "Sales & Ünïcode",
            "topicId": 42,
            "botEnabled": True,
            "initialStatus": "PRE_CHAT_FORM",
            "openingHours": [{"day": day.name, "opens": "00:00", "closes": "24:00"} for day in Weekday],
            "timeZone": "Europe/Oslo",
            "offlineMessage": "Nobody is here.",
            "ticketEnabled": True,
            "ticketCategoryId": 3,
        },
        "chatTopic { id }",
    )
    topics = [support["chatTopic"]["id"], sales["chatTopic"]["id"]]
    for user, rights in (("dee", {"canRespond": True, "canManage": True}), ("bo", {"canListen": True})):
        member = {"chatTopicId": topics[1], "userId": f"usr_{people.actors[user].user_id}", **rights}
        await graph.do("addChatTopicMember", member)
    await graph.do("setPresence", {"present": True}, actor=people.actors["dee"])
    return topics


async def request(graph: Graph, topic_id: int = 1, **given: Any) -> str:
    """A customer asks for a chat; its id."""
    made = await graph.do("requestChatSession", {"topicId": topic_id, **given}, CHAT)
    return str(made["chatSession"]["id"])


async def store_chats(graph: Graph, people: People) -> list[str]:
    """Chats that wait, go on, are handed over, and have ended."""
    bo, dee, admin = people.actors["bo"], people.actors["dee"], people.admin
    ongoing = await request(
        graph,
        customerId=people.customers["zoe_chat"],
        customerAlias="zo",
        customerName="Zoë",
        customerEmail="zoe@example.com",
        customerPhone="+47 1",
        customerHost="203.0.113.9",
        customerCompanyName="Straße AS",
        customerConsented=True,
        **REFERENCES,
    )
    graph.clock.advance(10)
    await graph.do("pickUpChatSession", {"id": ongoing}, actor=bo)
    await receive(graph, {"interactionId": ongoing}, text("I am in a hurry"))
    await graph.do("sendMessage", {"id": ongoing, "content": text("One moment")}, actor=bo)
    await receive(graph, {"interactionId": ongoing}, text("Hello??"))
    await graph.do("updateChatSession", {"id": ongoing, "alertLevel": 3, "customerIsTyping": True}, actor=bo)
    await graph.do("transferChatSession", {"id": ongoing, "userId": "usr_4"}, actor=bo)
    await graph.do("addNote", {"id": ongoing, "text": "in a hurry"}, actor=dee)

    waiting = await request(graph, customerName="Nobody we know")
    graph.clock.advance(5)
    alerted = await request(graph, customerId=people.customers["chat"], customerName="Chatty")
    await graph.do("updateChatSession", {"id": alerted, "alertLevel": 1}, actor=admin)
    await graph.do("setLabels", {"id": alerted, "labels": ["later"]}, actor=bo)

    with_bot = await request(graph, 42, customerName="Form")
    rated = await request(graph, customerName="Happy")
    await graph.do("pickUpChatSession", {"id": rated}, actor=dee)
    await graph.do("sendMessage", {"id": rated, "content": text("Done!")}, actor=dee)
    await graph.do("closeInteraction", {"id": rated}, actor=dee)
    await graph.do("rateChatSession", {"id": rated, "rating": 5})
    deleted = await request(graph, customerName="Gone")
    await graph.do("deleteChatSession", {"id": deleted}, actor=admin)
    return [ongoing, waiting, alerted, with_bot, rated, deleted]
