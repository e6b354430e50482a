"""What the suite of all kinds needs to know of Sessions."""

from collections.abc import Mapping
from typing import Any

from app.storage.work import Work
from tests.kinds.bad_input import INJECTED, Sample
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

SAMPLE = Sample(
    method="PATCH",
    path="/v1/customers/4711/sessions/current",
    body={"need_attention": True},
    wrong=({"need_attention": "true"}, {"tags": "x"}, {"topics": [1]}, {"suggested_messages": {"content": "x"}}),
    long={"tags": ["x" * 256]},
    texts={"tags": [INJECTED]},
    unknown=("/v1/customers/nobody/sessions/current", "/v1/customers/4711/sessions/nothing"),
    foreign="/v1/customers/4712/sessions/00000000-0000-7000-8000-000000000001",
)


def target(work: Work, key: str) -> Mapping[str, Any]:
    """Where a message of a customer with this key belongs."""
    customer = store_customer(work, customer_key=key, system="SESSION", unconfirmed_phone_number=f"+{key}")
    return {"customer_id": customer}
