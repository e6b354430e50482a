"""AI agents and their sessions in the graph."""

from app.graph.slice import Slice
from app.kinds.agent_session.graphql.mutations import AgentSessionMutation, AiAgentMutation
from app.kinds.agent_session.graphql.query import AgentSessionQuery
from app.kinds.agent_session.graphql.types import AgentSession, AiAgent
from app.kinds.agent_session.reads import MAPPINGS, ROOTS

__all__ = ("SLICE", "AgentSession", "AiAgent")


class _Mutation(AgentSessionMutation, AiAgentMutation):
    pass


SLICE = Slice(query=AgentSessionQuery, mutation=_Mutation, mappings=MAPPINGS, roots=ROOTS)
"""What the kind adds to the graph."""
