"""What a frontend keeps of the graph's lists: fetched once, and from then on changed by what it is told alone."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from app.live.items import Subscriber
from tests.graph.listening import Ears
from tests.graph.running import Graph
from tests.serving import PATIENCE

# All that is an interaction's own. What only the directory says (a name), or the caller's rights, is of the moment at
# which it is read, and no event of the interaction.
INTERACTION = """id kind state version botActive labels createdAt updatedAt latestMessageAt unreadCustomerMessagesCount
  customer { id } assignee { id } team { id } latestMessage { id } latestCustomerMessage { id } latestNote { id }
  attention { needed level reason reasons since deadline acknowledgedAt acknowledgedBy { id } claimedUntil
    claimedBy { id } }
  ... on Session { needAttention tags topics suggestedMessages { nodes { id } } }
  ... on AgentSession { agent { id } name description enabled metadata ttiMinutes currentStepName }
  ... on ChatSession { chatStatus: status alertLevel transferTo { id } rank initialQueuePos rating whenStarted whenEnded
    whenFetched whenIdle customerIsTyping userIsTyping chatbotIsActive topic { id } firstMessage lastMessage }
  ... on Conversation { conversationStatus: status snoozeUntil replyUntil channelAgent { id } }"""
STANDING = """id assignee { id } attention { level reason since acknowledgedAt acknowledgedBy { id } claimedUntil
  claimedBy { id } queueKey }"""
MESSAGE = """id text status author hidden deliveredAt agentReaction customerReaction user { id }
  latestError { originalMessage }"""
NOTE = "id text"


def _list(of_each: str) -> str:
    return (
        f"query($filter: InteractionFilter) {{ interactions(first: 100, filter: $filter) {{ nodes {{ {of_each} }} }} }}"
    )


_QUEUE = f"""query($filter: InteractionFilter) {{
  attentionQueue(first: 100, filter: $filter) {{ nodes {{ {STANDING} }} }} }}"""
_EVENT = "topic change interactionId"


def _changed(of_each: str) -> str:
    return f"""subscription($after: String, $filter: InteractionEventFilter) {{
      interactionChanged(after: $after, filter: $filter) {{ {_EVENT} interaction {{ {of_each} }} }} }}"""


_EXCHANGED = f"""subscription($after: String, $filter: InteractionEventFilter) {{
  interactionChanged(after: $after, filter: $filter) {{ {_EVENT} messageNodeId noteNodeId message {{ {MESSAGE} }}
    note {{ {NOTE} }} }} }}"""
_ATTENTION = f"""subscription($after: String, $filter: InteractionEventFilter) {{
  attentionChanged(after: $after, filter: $filter) {{ {_EVENT} interaction {{ {STANDING} }} }} }}"""
_MESSAGES = f"""subscription($after: String) {{
  messageAdded(after: $after) {{ {_EVENT} message {{ {MESSAGE} }} }} }}"""
_EXCHANGE = f"""query($id: ID!) {{ interaction(id: $id) {{
  messages(last: 100) {{ nodes {{ {MESSAGE} }} }} notes(last: 100) {{ nodes {{ {NOTE} }} }} }} }}"""
_EXCHANGES = f"""query {{ interactions(first: 100) {{ nodes {{ id
  messages(last: 40) {{ nodes {{ {MESSAGE} }} }} notes(last: 40) {{ nodes {{ {NOTE} }} }} }} }} }}"""

FILTERS: Mapping[str, Mapping[str, object]] = {
    "all": {},
    "open": {"states": ["OPEN"]},
    "done or asleep": {"states": ["CLOSED", "SNOOZED"]},
    "two kinds": {"kinds": ["CONVERSATION", "CHAT_SESSION"]},
    "Bo's": {"assignee": {"userId": "usr_2"}},
    "Bo's or nobody's": {"assignee": {"userIdOrNobody": "usr_2"}},
    "somebody's": {"assignee": {"assigned": True}},
    "of one customer": {"customerId": "cus_1"},
    "labelled": {"labels": ["a", "later"]},
    "tagged": {"tags": ["a", "refund"]},
    "of topics": {"topics": ["shipping", "x"]},
    "urgent": {"levels": ["URGENT", "HIGH"]},
    "raised": {"reasons": ["RAISED", "CUSTOMER_WAITING"]},
    "of a team or none": {"teamIds": ["tea_1", None]},
    "of a team": {"teamIds": ["tea_2"]},
    "in need": {"attentionNeeded": True},
    "with a bot": {"botActive": True},
}
"""Lists of interactions."""

_QUEUES = ("all", "two kinds", "Bo's", "Bo's or nobody's", "labelled", "of a team", "urgent", "raised")
"""Those of them that are attention queues too."""


def is_about_all(item: Mapping[str, Any]) -> bool:
    """Whether messages and notes are read again after an event: it read them all, by itself or by a user's reply."""
    new = item.get("message")
    return item["topic"] == "INTERACTION_READ" or (
        item["topic"] == "INTERACTION_MESSAGE_SENT" and new is not None and new["author"] == "USER"
    )


class Copy:
    """One list, or the messages and notes of all interactions; `what` is by id, whatever the order."""

    def __init__(self, name: str, document: str, filter_: Mapping[str, object]) -> None:
        self.name = name
        self.document = document
        self.filter = filter_
        self.what: dict[str, Any] = {}

    def place(self, ref: str) -> str:
        """By what a queue is kept in order."""
        key: str = self.what[ref]["attention"]["queueKey"]
        return key

    async def take(self, item: Mapping[str, Any], _graph: Graph) -> None:
        """What docs/live.md has a frontend do."""
        if item["change"] == "LEFT":
            self.what.pop(item["interactionId"], None)
        else:
            assert item["interaction"] is not None or item["change"] == "UPDATED", item
            if item["interaction"] is not None:
                self.what[item["interactionId"]] = item["interaction"]


class Exchanges(Copy):
    """Messages and notes as two subscriptions tell of them."""

    async def take(self, item: Mapping[str, Any], graph: Graph) -> None:
        ref, topic = item["interactionId"], item["topic"]
        if item["change"] == "LEFT":
            self.what.pop(ref, None)
            return
        known = self.what.setdefault(ref, {"messages": {}, "notes": {}})
        if is_about_all(item):
            found = (await graph.read(_EXCHANGE, id=ref))["interaction"]
            if found is not None:
                self.what[ref] = exchange(found)
            return
        for name in ("message", "note"):
            if topic == f"INTERACTION_{name.upper()}_DELETED":
                known[f"{name}s"].pop(item[f"{name}NodeId"], None)
            if (new := item.get(name)) is not None and (
                name == "note" or new["id"] in known["messages"] or topic.startswith("INTERACTION_MESSAGE_")
            ):
                known[f"{name}s"][new["id"]] = new


def exchange(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {node["id"]: node for node in found[name]["nodes"]} for name in ("messages", "notes")}


class Copies:
    """All copies of one client, each with its subscription."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        # What is kept of each is the same in all lists, so one list with everything is enough.
        self.everything = Copy("list with everything", _changed(INTERACTION), {})
        self.lists = [Copy(f"list: {name}", _changed("id version"), filter_) for name, filter_ in FILTERS.items()]
        self.queues = [Copy(f"queue: {name}", _ATTENTION, FILTERS[name]) for name in _QUEUES]
        self.exchanges = Exchanges("messages and notes", _EXCHANGED, {})
        self._pumps: list[asyncio.Task[None]] = []
        self._moved = asyncio.Event()

    async def begin(self, heard: Ears) -> None:
        """Fetch everything, and listen from there."""
        cursor, fresh = await self.fetch()
        for copy in self._all():
            copy.what = fresh[copy.name]
            variables = {"after": cursor, "filter": copy.filter}
            self._pump(copy, await heard.open(copy.document, **variables))
        self._pump(self.exchanges, await heard.open(_MESSAGES, after=cursor))

    async def fetch(self) -> tuple[str, dict[str, dict[str, Any]]]:
        """The cursor, and all lists as they are."""

        async def nodes(document: str, root: str, **variables: object) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = (await self.graph.read(document, **variables))[root]["nodes"]
            return found

        cursor = (await self.graph.read("{ attentionQueue { cursor } }"))["attentionQueue"]["cursor"]
        *lists, exchanges = await asyncio.gather(
            nodes(_list(INTERACTION), "interactions"),
            *(nodes(_list("id version"), "interactions", filter=copy.filter) for copy in self.lists),
            *(nodes(_QUEUE, "attentionQueue", filter=copy.filter) for copy in self.queues),
            nodes(_EXCHANGES, "interactions"),
        )
        copies = [self.everything, *self.lists, *self.queues]
        fresh = {copy.name: {node["id"]: node for node in found} for copy, found in zip(copies, lists, strict=True)}
        fresh[self.exchanges.name] = {node["id"]: exchange(node) for node in exchanges}
        return cursor, fresh

    async def agree(self, after: object) -> None:
        """Fail, saying after what, unless every copy comes to be what a fresh fetch gives."""
        _, fresh = await self.fetch()
        try:
            async with asyncio.timeout(PATIENCE):
                while self._differing(fresh):
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            raise AssertionError((after, self._differing(fresh)[:3])) from None

    async def end(self) -> None:
        for pump in self._pumps:
            pump.cancel()
        await asyncio.wait(self._pumps)
        for pump in self._pumps:
            if not pump.cancelled():
                pump.result()

    def _all(self) -> Sequence[Copy]:
        return [self.everything, *self.lists, *self.queues, self.exchanges]

    def _pump(self, copy: Copy, subscriber: Subscriber) -> None:
        async def run() -> None:
            while True:
                answer = orjson.loads((await subscriber.next()).text)
                assert "errors" not in answer, answer
                (item,) = answer["data"].values()
                await copy.take(item, self.graph)
                self._moved.set()

        self._pumps.append(asyncio.create_task(run()))

    def _differing(self, fresh: Mapping[str, Mapping[str, Any]]) -> list[object]:
        """Where copies are not what is fresh: the list, the interaction, what is kept and what should be; or else the
        queues whose order is not that of their keys."""
        different: list[object] = [
            (copy.name, ref, *_different(copy.what.get(ref), fresh[copy.name].get(ref)))
            for copy in self._all()
            for ref in sorted(copy.what.keys() | fresh[copy.name].keys())
            if copy.what.get(ref) != fresh[copy.name].get(ref)
        ]
        return different or [
            (copy.name, ordered, list(fresh[copy.name]))
            for copy in self.queues
            if (ordered := sorted(copy.what, key=copy.place)) != list(fresh[copy.name])
        ]


def _different(kept: Any, right: Any) -> tuple[object, object]:
    if kept is None or right is None:
        return (None if kept is None else "there", None if right is None else "there")
    names = [name for name in right if kept.get(name) != right[name]]
    return {name: kept.get(name) for name in names}, {name: right[name] for name in names}
