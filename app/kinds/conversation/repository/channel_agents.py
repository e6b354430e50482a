"""Named queries over channel agents."""

from app.core.errors import AlreadyExists
from app.directory.model import Channel
from app.directory.repository.rows import Rows
from app.kinds.conversation.model.channel_agent import ChannelAgent
from app.kinds.conversation.tables import channel_agent


class ChannelAgentRepository(Rows[ChannelAgent]):
    """The business accounts, each unique by channel and display id."""

    model = ChannelAgent
    rows = channel_agent
    readers = {"channel": Channel}  # noqa: RUF012 - declared by the base

    def get_by_display_id(self, channel: Channel, display_id: str) -> ChannelAgent | None:
        """The account with this display id on the channel."""
        return self._find_by(channel=channel.value, display_id=display_id)

    def taken(self, model: ChannelAgent) -> AlreadyExists:
        return AlreadyExists(f"{model.channel} has a channel agent {model.display_id} already.", path=("display_id",))
