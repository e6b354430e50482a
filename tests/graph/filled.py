"""A database with people and interactions of every kind in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from app.core.actor import Actor
from app.interactions.tables import watch
from app.storage.database import Work
from tests.graph.assistants import store_agent_sessions
from tests.graph.attached import store_connections
from tests.graph.chats import store_chats, store_topics
from tests.graph.exchanges import store_conversations, store_sessions
from tests.graph.identities import store_identities
from tests.graph.people import People, store_people
from tests.graph.reached import store_destinations
from tests.graph.running import Graph
from tests.graph.teams import store_teams
from tests.remembering import remembered_graph


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


@remembered_graph
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
    await store_connections(graph, filled.conversations)
    await store_destinations(graph)
    await store_teams(graph, filled.conversations, filled.sessions, filled.agent_sessions, filled.chats)
    await graph.database.command(store_identities)
    await graph.database.command(_look, int(filled.sessions[1].removeprefix("ses_")))
    graph.clock.advance(7.75)
    return filled


def _look(work: Work, interaction: int) -> None:
    """The admin and Bo look at an interaction and listen for alerts, Cy no longer does: subscriptions tell of it."""
    leases = {(interaction, 1): 60, (interaction, 2): 30, (interaction, 3): -30, (0, 1): 60, (0, 2): 30, (0, 3): -30}
    work.connection.execute(
        sa.insert(watch),
        [
            {
                "subject": subject,
                "user_id": user,
                "holder": "a process",
                "listeners": user,
                "until": work.now + timedelta(seconds=seconds),
            }
            for (subject, user), seconds in leases.items()
        ],
    )
