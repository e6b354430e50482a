"""Opens the conversation between a customer and a channel agent."""

from typing import TYPE_CHECKING

from app.core.actor import Actor
from app.core.errors import InvalidInput, NotFound, Unreachable
from app.directory.repository import CustomerRepository, ProfileRepository
from app.interactions.service.change import open_interaction
from app.kinds.conversation.model.conversation import NAME, Conversation, Status
from app.kinds.conversation.repository import ChannelAgentRepository, ConversationRepository

if TYPE_CHECKING:
    from app.storage.database import Work


def open_for(
    work: "Work", actor: Actor, customer_id: int, channel_agent_id: int, *, imported: bool = False
) -> Conversation:
    """The conversation between the two, locked. It is opened when there is none, as done when it is `imported`.

    Raises Forbidden without the permission to write, NotFound for a customer or channel agent that does not exist,
    InvalidInput when they are on different channels, Unreachable for a customer whose profile is blocked."""
    actor.require_writing(NAME)
    conversations = work.use(ConversationRepository)
    found = conversations.find_of(channel_agent_id, customer_id)
    if found is not None:
        return found
    agent = work.use(ChannelAgentRepository).get(channel_agent_id)
    if agent is None:
        raise NotFound(f"There is no channel agent cha_{channel_agent_id}.", path=("channel_agent_id",))
    customer = work.use(CustomerRepository).get(customer_id)
    if customer is None:
        raise NotFound(f"There is no customer cus_{customer_id}.", path=("customer_id",))
    if customer.channel is not agent.channel:
        raise InvalidInput(f"The customer is not on {agent.channel}, as the channel agent is.", path=("customer_id",))
    profile = None if customer.profile_id is None else work.use(ProfileRepository).get(customer.profile_id)
    if profile is not None and profile.blocked:
        raise Unreachable("The profile of the customer is blocked, so no message reaches it or comes from it.")
    number = conversations.next_number()
    # While we waited for our number, another unit may have opened this very conversation.
    found = conversations.find_of(channel_agent_id, customer_id)
    if found is not None:
        return found
    new = Conversation(
        id=0,
        kind=NAME,
        customer_id=customer_id,
        conversation_id=number,
        channel=agent.channel,
        channel_agent_id=channel_agent_id,
        in_sync=agent.in_sync,
        status=Status.DONE if imported else Status.TO_DO,
        created_at=work.now,
        updated_at=work.now,
    )
    return open_interaction(work, actor, new, conversations.add)
