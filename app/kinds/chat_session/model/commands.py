"""The commands that chats alone take."""

from app.interactions.model import AnyCommand


class ChatCommand(AnyCommand):
    """What a user can ask of a chat, beside what it can ask of every interaction."""

    TRANSFER = "TRANSFER"
    CANCEL_TRANSFER = "CANCEL_TRANSFER"
    ACCEPT_TRANSFER = "ACCEPT_TRANSFER"
    REJECT_TRANSFER = "REJECT_TRANSFER"
    RESET = "RESET"
    RATE = "RATE"
