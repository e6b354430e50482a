"""The commands on Sessions."""

from app.kinds.session.service.rules import Rules
from app.kinds.session.service.sessions import (
    current,
    find_customer,
    open_for_customer,
    post_message,
    update,
    use_suggested_message,
    use_suggested_message_by_key,
)

__all__ = (
    "Rules",
    "current",
    "find_customer",
    "open_for_customer",
    "post_message",
    "update",
    "use_suggested_message",
    "use_suggested_message_by_key",
)
