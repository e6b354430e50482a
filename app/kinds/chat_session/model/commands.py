"""The commands that only chats have."""

from app.interactions.model import AnyCommand


class ChatCommand(AnyCommand):
    """The commands on a chat beside the shared commands."""

    TRANSFER = "TRANSFER"
    CANCEL_TRANSFER = "CANCEL_TRANSFER"
    ACCEPT_TRANSFER = "ACCEPT_TRANSFER"
    REJECT_TRANSFER = "REJECT_TRANSFER"
    RESET = "RESET"
    RATE = "RATE"
