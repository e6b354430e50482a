"""What the suite of all kinds needs to know of Conversations."""

from collections.abc import Mapping
from typing import Any

from app.directory.model import Channel
from app.kinds.conversation.model.channel_agent import ChannelAgent
from app.kinds.conversation.repository import ChannelAgentRepository
from app.storage.work import Work
from tests.kinds.bad_input import INJECTED, Sample
from tests.kinds.conftest import store_customer

NOT_SUPPORTED: frozenset[str] = frozenset()


PATH: Mapping[str, Any] = {"id": 1, "message_id": 1}
"""The parameters of the contract's paths that lead to the first interaction."""

SAMPLE = Sample(
    method="POST",
    path="/third-party/v1/conversations/1/messages",
    body={"type": "text", "text": {"content": "Changed"}},
    wrong=({"type": 5}, {"text": "x"}, {"text": {"content": 5}}, {"reference_id": "1"}),
    long={"text": {"content": "x" * 65_537}},
    texts={"text": {"content": INJECTED}},
    unknown=("/third-party/v1/conversations/99/messages", "/third-party/v1/conversations/nothing/messages"),
    # A message of another conversation.
    foreign="/third-party/v1/conversations/1/messages/2/set-reaction",
)


def target(work: Work, key: str) -> Mapping[str, Any]:
    """Where a message of a customer with this key belongs."""
    agent = ChannelAgent(
        channel=Channel.WIDGET, display_id=f"w-{key}", name="Widget", created_at=work.now, updated_at=work.now
    )
    customer = store_customer(work, customer_key=key, system="CONVERSATION", channel=Channel.WIDGET, display_id=key)
    return {"customer_id": customer, "channel_agent_id": work.use(ChannelAgentRepository).add(agent).id}
