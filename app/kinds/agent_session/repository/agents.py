"""AI agents: rows in, models out."""

import sqlalchemy as sa

from app.core.errors import AlreadyExists
from app.directory.repository.rows import Rows
from app.kinds.agent_session.model import AiAgent
from app.kinds.agent_session.tables import agent_session, ai_agent

_HAS_SESSION = sa.select(sa.exists().where(agent_session.c.agent_id == sa.bindparam("key")))


class AiAgentRepository(Rows[AiAgent]):
    """Named queries over AI agents."""

    model = AiAgent
    rows = ai_agent

    def taken(self, model: AiAgent) -> AlreadyExists:
        return AlreadyExists("Another AI agent has this key.", path=("agent_key",))

    def get_by_key(self, agent_key: str, *, for_update: bool = False) -> AiAgent | None:
        """The agent with the contract's key."""
        return self._find_by(for_update=for_update, agent_key=agent_key)

    def has_sessions(self, number: int) -> bool:
        """Whether the agent has any session, open or not."""
        return bool(self.connection.execute(_HAS_SESSION, {"key": number}).scalar_one())
