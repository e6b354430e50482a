"""Interactions of every kind in many states, made by the graph's own mutations: what the oracle and others look at."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from app.core.clock import rfc3339
from tests.graph.people import People
from tests.graph.running import Graph

URL = "https://files.example.com/f"
CONTENTS: Sequence[Mapping[str, Any]] = (
    {"text": {"content": 'Grüße aus Köln, "quoted" \\ and \U0001f600'}},
    {"image": {"mimeType": "image/png", "downloadUrl": URL, "size": 12, "caption": "A caption with Ünïcode"}},
    {"video": {"mimeType": "video/mp4", "publicDownloadUrl": URL, "name": "v.mp4", "uuid": "file-1"}},
    {"audio": {"mimeType": "audio/ogg", "downloadUrl": URL, "voice": True}},
    {"document": {"mimeType": "application/pdf", "downloadUrl": URL, "filename": "bill.pdf", "size": 2**31 - 1}},
    {"location": {"latitude": "59.9139", "longitude": "-10.75220", "name": "Oslo", "url": URL}},
    {
        "contact": {
            "name": {"formattedName": "Dr. Max Muster", "prefix": "Dr.", "firstName": "Max", "lastName": "Muster"},
            "birthday": "1980-12-24",
            "phones": [{"phone": "+47 1", "type": "HOME"}, {"phone": "+47 2"}],
            "emails": [{"email": "max@example.com"}],
            "addresses": [{"street": "Storgata 1", "zip": "0155", "city": "Oslo", "countryCode": "no"}],
            "org": {"company": "Muster AS", "title": "Chef"},
        }
    },
)
"""One content of every type."""

MESSAGE = "message { id interaction { id } }"


def text(said: str) -> dict[str, Any]:
    """A content of plain text."""
    return {"text": {"content": said}}


async def receive(
    graph: Graph, target: Mapping[str, Any], *contents: Mapping[str, Any], **more: Any
) -> tuple[str, str]:
    """Hand in a message of a customer; the ids of its interaction and of itself."""
    given = {"target": target, "contents": list(contents), **more}
    message = (await graph.do("receiveMessage", given, MESSAGE))["message"]
    return message["interaction"]["id"], message["id"]


def of(customer: str, kind: str, **more: str) -> dict[str, Any]:
    """The target of a customer's message of a kind."""
    return {"customer": {"kind": kind, "customerId": customer, **more}}


async def store_sessions(graph: Graph, people: People) -> list[str]:
    """A flagged Session with suggestions, one of an unsubscribed customer, and one that is over."""
    bo = people.actors["bo"]
    over, _ = await receive(graph, of(people.customers["zoe_session"], "SESSION"), text("First of all"))
    graph.clock.advance(3 * 3600)
    flagged, first = await receive(graph, of(people.customers["zoe_session"], "SESSION"), text("Hello, help me please"))
    graph.clock.advance(1.5)
    await graph.do(
        "updateSession",
        {
            "customerKey": "zoe-key",
            "needAttention": True,
            "tags": ["refund", "vip"],
            "topics": ["shipping", 'a "topic"'],
            "suggestedMessages": [
                {"content": "Hello!", "remoteId": "r-1"},
                {"content": "Bye \U0001f44b"},
                {"content": "What?", "remoteId": "r-3"},
            ],
            "clientMutationId": "flag-it",
        },
        actor=bo,
    )
    await graph.do("useSuggestedMessage", {"id": "sug_2"}, actor=bo)
    await graph.do("claimInteraction", {"id": flagged, "leaseSeconds": 600}, actor=bo)
    await graph.do("addNote", {"id": flagged, "text": "A note\nof two lines"}, actor=bo)
    await graph.do("sendMessage", {"id": flagged, "content": text("How can I help?"), "referenceId": first}, actor=bo)
    graph.clock.advance(0.25)
    for said in ("Where is my order?", "It should be here by now.", "Hello?"):
        await receive(graph, {"interactionId": flagged}, text(said))
    other, _ = await receive(graph, of(people.customers["ann"], "SESSION"), text("Nothing important"))
    await graph.do("setLabels", {"id": other, "labels": ["later", "spam?"]}, actor=bo)
    quiet, _ = await receive(graph, of(people.customers["ben"], "SESSION"), text("Stop writing to me"))
    await graph.do("updateSession", {"id": quiet, "needAttention": True}, actor=bo)
    return [over, flagged, other, quiet]


async def store_conversations(graph: Graph, people: People) -> list[str]:
    """Conversations on every channel: in every status, snoozed, claimed, with failed messages and reactions."""
    bo, admin = people.actors["bo"], people.admin
    agents = {}
    for channel, number, in_sync in (("WHATSAPP", "+4780000001", True), ("WIDGET", "w", False), ("BRIDGE", "b", True)):
        given = {"channel": channel, "displayId": number, "name": f"The {channel.lower()}", "inSync": in_sync}
        agents[channel] = (await graph.do("createChannelAgent", given, "channelAgent { id }"))["channelAgent"]["id"]

    def on(customer: str, channel: str) -> dict[str, Any]:
        return of(people.customers[customer], "CONVERSATION", channelAgentId=agents[channel])

    whatsapp, first = await receive(graph, on("zoe_whatsapp", "WHATSAPP"), *CONTENTS, messageKey="wamid-1")
    graph.clock.advance(60)
    _, second = await receive(graph, {"interactionId": whatsapp}, text("Köln again"), referenceId=first)
    await graph.do("setReaction", {"id": second, "reaction": "\U0001f44d\U0001f3fd"}, actor=bo)
    await graph.do("setReaction", {"id": second, "reaction": "❤️", "ofCustomer": True}, actor=bo)
    await graph.do("updateConversation", {"id": whatsapp, "status": "IN_PROGRESS", "userId": "usr_2"}, actor=bo)
    sent = await graph.do("sendMessage", {"id": whatsapp, "content": CONTENTS[4]}, MESSAGE, actor=bo)
    for status, error in (("SENT", None), ("ERROR", "131026: undeliverable")):
        told: dict[str, Any] = {"id": sent["message"]["id"], "status": status}
        if error is not None:
            told["error"] = {"type": "STATUS_UPDATE", "originalMessage": error}
        await graph.do("reportMessageStatus", told, actor=bo)
    await graph.do("raiseAttention", {"id": whatsapp, "level": "URGENT"}, actor=bo)
    await graph.do("acknowledgeAttention", {"id": whatsapp}, actor=admin)

    widget, _ = await receive(graph, on("widget", "WIDGET"), text("hi"))
    await graph.do("sendMessage", {"id": widget, "content": text("This will not get through")}, actor=bo)
    note = await graph.do("addNote", {"id": widget, "text": "first"}, "note { id }", actor=admin)
    await graph.do("editNote", {"id": note["note"]["id"], "text": "edited"}, actor=bo)
    await graph.do("addNote", {"id": widget, "text": "second"}, actor=bo)
    await graph.do("markRead", {"id": widget}, actor=bo)
    await graph.do("addLabels", {"id": widget, "labels": ["later", "Ünï"]}, actor=bo)

    bridge, _ = await receive(graph, on("bridge", "BRIDGE"), text("Good evening"))
    await graph.do("closeInteraction", {"id": bridge, "clientMutationId": "close-it"}, actor=admin)

    snoozed, _ = await receive(graph, on("late", "WHATSAPP"), text("No hurry"))
    graph.clock.advance(23.5 * 3600)
    await graph.do("claimInteraction", {"id": snoozed, "leaseSeconds": 86_400}, actor=admin)
    until = rfc3339(graph.clock.now + timedelta(days=1))
    await graph.do("snoozeInteraction", {"id": snoozed, "until": until}, actor=admin)

    blocked, _ = await receive(graph, on("max_whatsapp", "WHATSAPP"), text("Du Idiot"))
    await graph.do("blockProfile", {"id": people.profiles["max"]})
    return [whatsapp, widget, bridge, snoozed, blocked]
