"""What the suite of all kinds needs to know of AgentSessions."""

from collections.abc import Mapping
from typing import Any

from app.kinds.agent_session.service import create_agent
from app.storage.work import Work
from tests.kinds.bad_input import INJECTED, Sample
from tests.kinds.conftest import BO, store_customer

NOT_SUPPORTED = frozenset({"snoozeInteraction", "unsnoozeInteraction", "setReaction", "reportMessageStatus"})


PATH: Mapping[str, Any] = {"agent_key": "agt_1", "session_key": "ase_1", "event_id": "aev_1"}
"""The parameters of the contract's paths that lead to the first interaction."""

SAMPLE = Sample(
    method="PATCH",
    path="/v2/agents/agt_1/sessions/ase_1",
    body={"name": "Changed"},
    wrong=({"name": 5}, {"metadata": "{}"}, {"enabled": "true"}, {"tti_minutes": "1"}),
    long={"name": "x" * 256},
    texts={"description": INJECTED},
    unknown=("/v2/agents/nobody/sessions/ase_1", "/v2/agents/agt_1/sessions/nothing"),
    foreign="/v2/agents/agt_2/sessions/ase_1",
)


def target(work: Work, key: str) -> Mapping[str, Any]:
    """Where a message of a customer with this key belongs."""
    agent = create_agent(work, BO, {"name": "Support"})
    customer = store_customer(work, customer_key=key, system="AGENT_SESSION")
    return {"customer_id": customer, "agent_key": agent.agent_key}
