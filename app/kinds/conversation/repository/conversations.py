"""Named queries over conversations."""

import sqlalchemy as sa

from app.connections.tables import cannot_of
from app.directory.tables import customer, profile
from app.interactions.repository.kinds import KindRepository
from app.interactions.tables import interaction
from app.kinds.conversation.model.conversation import Conversation
from app.kinds.conversation.tables import channel_agent, conversation, conversation_counter

_LARGEST = sa.select(sa.func.coalesce(sa.func.max(conversation.c.conversation_id), 0)).scalar_subquery()
_LAST = conversation_counter.c.last
_NEXT = (
    sa.update(conversation_counter).values(last=sa.case((_LARGEST > _LAST, _LARGEST), else_=_LAST) + 1).returning(_LAST)
)
_RESERVE = sa.update(conversation_counter).values(last=_LAST + sa.bindparam("count", type_=sa.Integer)).returning(_LAST)


class ConversationRepository(KindRepository[Conversation]):
    """Whole conversations, with the values of their channel agent and their customer's profile."""

    table = conversation
    model = Conversation
    repeated = ("customer_id",)
    related = {  # noqa: RUF012 - declared by the base
        "in_sync": channel_agent.c.in_sync,
        "cannot": cannot_of(interaction),
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
        """Lock and read the conversation between the two; there is at most one."""
        return self.find(channel_agent_id=channel_agent_id, customer_id=customer_id)

    def find_by_key(self, conversation_id: int) -> Conversation | None:
        """Lock and read the conversation with the contract's own key."""
        return self.find(conversation_id=conversation_id)

    def next_number(self) -> int:
        """A new `conversation_id`. Until the unit ends, no other unit opens a conversation."""
        row = self._one(_NEXT)
        assert row is not None
        return int(row[0])

    def reserve_numbers(self, count: int) -> int:
        """Reserve `conversation_id`s for a bulk load; returns the first."""
        first = self.next_number()
        self._one(_RESERVE, {"count": count - 1})
        return first
