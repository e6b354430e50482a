"""What the suite of all kinds needs to know of Sessions."""

from collections.abc import Mapping
from typing import Any

from app.directory.model import CustomerSystem
from app.storage.work import Work
from tests.kinds.conftest import store_customer

NOT_SUPPORTED = frozenset(
    {
        "closeInteraction",
        "reopenInteraction",
        "snoozeInteraction",
        "unsnoozeInteraction",
        "setReaction",
        "reportMessageStatus",
    }
)


PATH: Mapping[str, Any] = {"customer_id": "4711", "session_id": "current"}
"""The parameters of the contract's paths that lead to the first interaction."""


def target(work: Work, key: str) -> Mapping[str, Any]:
    """Where a message of a customer with this key belongs."""
    customer = store_customer(work, customer_key=key, system=CustomerSystem.SESSION, unconfirmed_phone_number=f"+{key}")
    return {"customer_id": customer}
