"""Named queries over conversations."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from app.directory.tables import customer, profile
from app.interactions.repository.interactions import InteractionRepository
from app.interactions.repository.kinds import KindRepository
from app.interactions.repository.rows import written
from app.interactions.tables import interaction
from app.kinds.conversation.model.conversation import Conversation
from app.kinds.conversation.tables import channel_agent, conversation, conversation_counter

_UNTIL = sa.bindparam("until", type_=conversation.c.turns_at.type)
_MOST = sa.bindparam("most", type_=sa.Integer)
_DUE = (
    sa.select(conversation.c.id)
    .where(conversation.c.turns_at <= _UNTIL)
    .order_by(conversation.c.turns_at, conversation.c.id)
    .limit(_MOST)
)
_NEXT = (
    sa.update(conversation_counter).values(last=conversation_counter.c.last + 1).returning(conversation_counter.c.last)
)


class ConversationRepository(KindRepository[Conversation]):
    """Whole conversations, with what the channel agent and the customer's profile have to say."""

    table = conversation
    model = Conversation
    related = {  # noqa: RUF012 - declared by the base
        "in_sync": channel_agent.c.in_sync,
        "blocked": sa.func.coalesce(profile.c.blocked, sa.false()),
    }

    @classmethod
    def source(cls) -> sa.FromClause:
        return (
            super()
            .source()
            .outerjoin(channel_agent, channel_agent.c.id == conversation.c.channel_agent_id)
            .outerjoin(customer, customer.c.id == interaction.c.customer_id)
            .outerjoin(profile, profile.c.id == customer.c.profile_id)
        )

    def find_of(self, channel_agent_id: int, customer_id: int) -> Conversation | None:
        """Lock and read the conversation between the two; there is one at most."""
        return self.find(conversation.c.channel_agent_id == channel_agent_id, conversation.c.customer_id == customer_id)

    def find_by_key(self, conversation_id: int) -> Conversation | None:
        """Lock and read the conversation with the contract's own key."""
        return self.find(conversation.c.conversation_id == conversation_id)

    def next_number(self) -> int:
        """A new `conversation_id`. Until the unit ends, nobody else opens a conversation."""
        row = self._one(_NEXT)
        assert row is not None
        return int(row[0])

    def add(self, new: Conversation) -> Conversation:
        """Insert the common row and the conversation's; the same with its new id."""
        stored = replace(new, id=InteractionRepository(self.connection).add(new))
        values = {"id": stored.id, "customer_id": stored.customer_id, **written(stored, self._own)}
        self.connection.execute(self._insert, values)
        return stored

    def list_due(self, now: datetime, most: int) -> Sequence[int]:
        """The surrogates of at most `most` conversations that time has turned, the longest due first."""
        return [row[0] for row in self._all(_DUE, {"until": now, "most": most})]
