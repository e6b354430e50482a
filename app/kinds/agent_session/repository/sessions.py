"""AgentSessions: rows in, models out."""

import sqlalchemy as sa

from app.connections.tables import cannot_of, is_mirrored
from app.core.errors import AlreadyExists
from app.interactions.repository.kinds import KindRepository
from app.interactions.tables import interaction
from app.kinds.agent_session.model import AgentSession
from app.kinds.agent_session.tables import agent_session, ai_agent

_ID_BY_KEYS = (
    sa.select(agent_session.c.id)
    .join(ai_agent, ai_agent.c.id == agent_session.c.agent_id)
    .where(
        ai_agent.c.agent_key == sa.bindparam("agent_key"),
        agent_session.c.agent_session_key == sa.bindparam("agent_session_key"),
    )
)


class AgentSessionRepository(KindRepository[AgentSession]):
    """Named queries over AgentSessions."""

    table = agent_session
    model = AgentSession
    related = {  # noqa: RUF012 - declared by the base
        "agent_key": ai_agent.c.agent_key,
        "mirrored": is_mirrored(interaction),
        "cannot": cannot_of(interaction),
    }

    @classmethod
    def source(cls) -> sa.FromClause:
        return super().source().join(ai_agent, ai_agent.c.id == agent_session.c.agent_id)

    def id_by_keys(self, agent_key: str, agent_session_key: str) -> int | None:
        """The surrogate of the session with these two keys of the contract."""
        row = self._one(_ID_BY_KEYS, {"agent_key": agent_key, "agent_session_key": agent_session_key})
        return None if row is None else row[0]

    def latest_enabled(self, agent_id: int, customer_id: int) -> AgentSession | None:
        """Lock and read the customer's enabled session with the agent that was active last."""
        statement = self._select.where(
            interaction.c.customer_id == sa.bindparam("customer"),
            agent_session.c.agent_id == sa.bindparam("agent"),
            agent_session.c.enabled,
        )
        latest = statement.order_by(interaction.c.active_at.desc(), interaction.c.id.desc()).limit(1)
        return self._whole(self._one(latest, {"customer": customer_id, "agent": agent_id}))

    def add(self, new: AgentSession) -> AgentSession:
        """Store a new session. Raises AlreadyExists when its agent already has one with this key."""
        with self._refusing(AlreadyExists("The agent has a session with this key.", path=("agent_session_key",))):
            return super().add(new)
