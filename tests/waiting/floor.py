"""A support floor with an interaction of any kind, on which the rules of waiting are tried."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.actor import Actor
from app.core.ids import GlobalId
from app.directory.model import Channel, User
from app.directory.repository import UserRepository
from app.interactions.messages import MessageAuthor, MessageError, MessageErrorType, MessageStatus
from app.interactions.model import Interaction
from app.interactions.service.change import load
from app.interactions.service.deadlines import fire_due
from app.interactions.service.deliveries import report_message_status
from app.interactions.service.messages import Posted, receive_message, send_message
from app.kinds.agent_session.service import create_agent
from app.kinds.chat_session.model.topic import ChatTopic, ChatTopicMember
from app.kinds.chat_session.repository import ChatTopicRepository
from app.kinds.conversation.model.channel_agent import ChannelAgent
from app.kinds.conversation.repository import ChannelAgentRepository
from app.storage.database import Work
from tests.conftest import START, ManualClock
from tests.event_log import told_in
from tests.graph.running import RULES, Graph
from tests.kinds.conftest import ADA, BO, KINDS, store_customer, store_users
from tests.remembering import remembered

EVE = Actor(user_id=5, name="Eve", permissions=BO.permissions)
"""Works as Bo does."""

FAILED = MessageError(type=MessageErrorType.STATUS_UPDATE, original_message="131026")
HELLO = {"type": "text", "content": "Hello"}


@dataclass(frozen=True, slots=True)
class Floor:
    """The graph, and where a customer's message belongs by the kind of its interaction.

    Bo and Eve respond in the chats' topic; nobody is present."""

    graph: Graph
    targets: Mapping[str, Mapping[str, Any]]

    @property
    def clock(self) -> ManualClock:
        return self.graph.clock

    async def do(self, f: Any, /, *args: Any, **given: Any) -> Any:
        """A service as one unit."""
        return await self.graph.database.command(f, *args, **given)

    async def hear(self, kind: str, **given: Any) -> Posted:
        """A message of the kind's customer."""
        target = {"kind": kind, **self.targets[kind]}
        posted: Posted = await self.do(receive_message, BO, target, [HELLO], **given)
        return posted

    async def hear_in(self, ref: GlobalId, **given: Any) -> int:
        """One more message of the customer of an interaction; its surrogate."""
        posted: Posted = await self.do(receive_message, BO, {"interaction": ref}, [HELLO], **given)
        return posted.message

    async def opened(self, kind: str) -> GlobalId:
        """An interaction of the kind, whose customer has written once."""
        return GlobalId(RULES[kind].prefix, (await self.hear(kind)).interaction)

    async def answer(
        self, ref: GlobalId, actor: Actor = BO, author: MessageAuthor = MessageAuthor.USER, **given: Any
    ) -> int:
        """A message to the customer; its surrogate."""
        posted: Posted = await self.do(send_message, actor, ref, HELLO, author=author, **given)
        return posted.message

    async def fail(self, message: int) -> None:
        """Report that a message was not delivered."""
        await self.do(report_message_status, BO, GlobalId("msg", message), MessageStatus.ERROR, error=FAILED)

    async def pass_until(self, moment: datetime) -> None:
        """Let time pass, and do what it has made due."""
        self.clock.now = moment
        while (await self.do(fire_due, 100)).found:
            pass

    async def stored(self, ref: GlobalId) -> Any:
        """The interaction as it is kept."""
        found: Interaction = await self.do(load, ADA, ref)
        return found

    async def latest(self, ref: GlobalId, author: MessageAuthor) -> int:
        """The surrogate of the author's message that was stored last."""
        sql = f"SELECT max(id) FROM message WHERE interaction_id = {ref.number} AND author = '{author}'"
        found: int = await self.do(lambda work: work.connection.exec_driver_sql(sql).scalar_one())
        return found

    async def reasons(self, ref: GlobalId) -> set[str]:
        """Why the interaction needs a human."""
        return set((await self.stored(ref)).attention.reasons)

    async def topics(self, ref: GlobalId) -> list[str]:
        """The topics of the interaction's events, in their order."""
        events = [each.event for each in await self.do(told_in)]
        return [event.topic for event in events if event.interaction_id == ref.number]

    async def queue(self, actor: Actor = BO, **given: Any) -> list[str]:
        """The ids of the attention queue that a filter leaves."""
        document = "query($filter: InteractionFilter) { attentionQueue(filter: $filter) { edges { node { id } } } }"
        found = await self.graph.read(document, actor, filter=given or None)
        return [edge["node"]["id"] for edge in found["attentionQueue"]["edges"]]


@remembered
def furnish(work: Work) -> Mapping[str, Mapping[str, Any]]:
    """Store users, an AI agent, a topic with members, a WhatsApp account and customers; the targets by kind."""
    store_users(work)
    permissions = tuple(sorted(EVE.permissions))
    work.use(UserRepository).add(
        User(id=0, name="Eve", login="eve", permissions=permissions, created_at=START, updated_at=START)
    )
    topics = work.use(ChatTopicRepository)
    topic = topics.add(ChatTopic(id=0, topic_id=0, name="Help", created_at=START, updated_at=START))
    for user in (BO, EVE):
        topics.add_member(ChatTopicMember(id=0, topic_id=topic.id, user_id=user.user_id, can_respond=True))
    account = ChannelAgent(
        channel=Channel.WHATSAPP, display_id="4915223567929", name="Shop", created_at=START, updated_at=START
    )
    agent = create_agent(work, BO, {"name": "Support"})
    more: Mapping[str, Mapping[str, Any]] = {
        "session": {},
        "agent_session": {"agent_key": agent.agent_key},
        "chat_session": {"chat_topic_id": topic.id},
        "conversation": {"channel_agent_id": work.use(ChannelAgentRepository).add(account).id},
    }
    channels: Mapping[str, Mapping[str, Any]] = {
        "conversation": {"channel": Channel.WHATSAPP, "display_id": "4915100000001"}
    }
    return {
        kind: {
            "customer_id": store_customer(
                work,
                customer_key=f"{kind}-1",
                system=kind.upper(),
                name=kind,
                phone_number="+4733333333",
                **channels.get(kind, {}),
            ),
            **more[kind],
        }
        for kind in KINDS
    }
