"""What SuperOffice can do; the setting `capabilities` corrects it."""

from collections.abc import Mapping
from types import MappingProxyType

from app.kinds.chat_session.model.refusals import COMMANDS

ABLE: Mapping[str, bool] = MappingProxyType(
    {
        **dict.fromkeys(COMMANDS, True),
        # Customers write to SuperOffice itself.
        "RECEIVE": False,
        # Its contract has no call for these. With `true` they are done by a patch of User, TransferTo or
        # ChatbotIsActive. Whether SuperOffice accepts that patch is not known.
        "ASSIGN": False,
        "CANCEL_TRANSFER": False,
        "RESUME_BOT": False,
        # A status is set only if it is still the one that was seen here.
        "TEST_STATUS": True,
        # The list of active chats is requested by `status oneOf (…)`.
        "FILTER_STATUS": True,
        # Webhooks are registered and kept working.
        "WEBHOOKS": True,
    }
)
"""Each command, and each ability that the connection relies on, with whether it exists unless an operator says
otherwise."""

PERSONAL = frozenset({"CLAIM", "TRANSFER", "ACCEPT_TRANSFER", "REJECT_TRANSFER"})
"""The commands that act for the caller there, so that each user needs an own credential."""


def is_able(settings: Mapping[str, object], name: str) -> bool:
    """Whether the connection's system can do this."""
    given = settings.get("capabilities")
    found = given.get(name) if isinstance(given, dict) else None
    return found if isinstance(found, bool) else ABLE[name]
