"""What the suite of all kinds needs to know of tickets."""

from collections.abc import Mapping
from typing import Any

from app.storage.work import Work
from tests.kinds.bad_input import INJECTED, Sample
from tests.kinds.conftest import store_customer

NOT_SUPPORTED = frozenset({"snoozeInteraction", "unsnoozeInteraction", "setReaction", "reportMessageStatus"})

_FIRST = "/desk/v1/tickets/00000000-0000-7000-8000-000000000001"

PATH: Mapping[str, Any] = {"ticket_number": "00000000-0000-7000-8000-000000000001"}
"""The parameters of the contract's paths that lead to the first interaction."""

SAMPLE = Sample(
    method="PUT",
    path=_FIRST,
    body={"subject": "Changed"},
    wrong=({"subject": 5}, {"subject": None}, {"subject": ["x"]}),
    long={"subject": "x" * 256},
    texts={"subject": INJECTED},
    unknown=("/desk/v1/tickets/nothing",),
    foreign="/desk/v1/tickets/00000000-0000-7000-8000-000000000099",
)


def target(work: Work, key: str) -> Mapping[str, Any]:
    """Where a message of a customer with this key belongs."""
    return {"customer_id": store_customer(work, customer_key=key, system="TICKET"), "ticket_subject": "Parcel"}
