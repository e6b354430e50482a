"""A database with people and interactions of every kind in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from app.core.actor import Actor
from app.interactions.tables import viewer
from app.storage.database import Work
from tests.graph.assistants import store_agent_sessions
from tests.graph.chats import store_chats, store_topics
from tests.graph.exchanges import store_conversations, store_sessions
from tests.graph.people import People, store_people
from tests.graph.running import Graph


@dataclass(frozen=True)
class Filled:
    """The graph over it, with the ids of what is there in the order of its making."""

    graph: Graph
    people: People
    sessions: Sequence[str]
    conversations: Sequence[str]
    agent_sessions: Sequence[str]
    chats: Sequence[str]
    topics: Sequence[str]

    @property
    def actors(self) -> Sequence[Actor]:
        return list(self.people.actors.values())

    @property
    def interactions(self) -> Sequence[str]:
        return [*self.sessions, *self.conversations, *self.agent_sessions, *self.chats]


async def fill(graph: Graph) -> Filled:
    """Store everything; afterwards it is a few seconds later."""
    people = await store_people(graph)
    filled = Filled(
        graph,
        people,
        sessions=await store_sessions(graph, people),
        conversations=await store_conversations(graph, people),
        agent_sessions=await store_agent_sessions(graph, people),
        topics=await store_topics(graph, people),
        chats=await store_chats(graph, people),
    )
    await graph.database.command(_look, int(filled.sessions[1].removeprefix("ses_")))
    graph.clock.advance(7.75)
    return filled


def _look(work: Work, interaction: int) -> None:
    """The admin and Bo look at an interaction, Cy no longer does: that is told by subscriptions alone."""
    leases = {1: 60, 2: 30, 3: -30}
    work.connection.execute(
        sa.insert(viewer),
        [
            {"interaction_id": interaction, "user_id": user, "until": work.now + timedelta(seconds=seconds)}
            for user, seconds in leases.items()
        ],
    )
