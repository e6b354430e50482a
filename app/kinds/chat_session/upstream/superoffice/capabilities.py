"""What SuperOffice can do and cannot, as far as is known: the one table that the setting `capabilities` corrects."""

from collections.abc import Mapping
from types import MappingProxyType

from app.kinds.chat_session.model.refusals import COMMANDS

ABLE: Mapping[str, bool] = MappingProxyType(
    {
        **dict.fromkeys(COMMANDS, True),
        # Customers write to SuperOffice itself.
        "RECEIVE": False,
        # Its contract has no call for these. With `true` they are done by a patch of User, TransferTo or
        # ChatbotIsActive, of which it is not known whether the services heed it.
        "ASSIGN": False,
        "CANCEL_TRANSFER": False,
        "RESUME_BOT": False,
        # A status is set on the condition that it is still the one that was seen here.
        "TEST_STATUS": True,
        # The list of chats that go on is asked for by `status oneOf (…)`.
        "FILTER_STATUS": True,
        # Webhooks are registered and kept going.
        "WEBHOOKS": True,
    }
)
"""Each command, and each thing that the connection relies on: whether it is there without a word of an operator."""

PERSONAL = frozenset({"CLAIM", "TRANSFER", "ACCEPT_TRANSFER", "REJECT_TRANSFER"})
"""The commands that act for the caller there, so that each user needs a credential of their own."""


def is_able(settings: Mapping[str, object], name: str) -> bool:
    """Whether the connection's system can do this."""
    given = settings.get("capabilities")
    found = given.get(name) if isinstance(given, dict) else None
    return found if isinstance(found, bool) else ABLE[name]
