"""What a ticket does that no other kind does."""

import pytest
from tests.kinds.ticket.contract import target

from app.core.ids import GlobalId
from app.interactions.service.messages import receive_message
from app.registry import SETTINGS
from app.settings import load_settings
from app.storage.work import Work
from tests.conftest import ManualClock
from tests.graph.running import ADMIN, Graph, open_graph
from tests.kinds.conftest import BO, store_users

pytestmark = pytest.mark.anyio

FIELDS = "subject level status attention { needed reason } viewerCan { escalate transfer restart }"
READ = f"query($number: String!) {{ ticket(ticketNumber: $number) {{ id {FIELDS} }} }}"


async def test_a_ticket_goes_up_to_its_last_level(
    database_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWITCHBOARD_TICKET_OVERDUE_LEVEL", "2")
    graph = await open_graph(database_url, clock, load_settings(kinds=SETTINGS))

    def fill(work: Work) -> str:
        store_users(work)
        content = {"type": "text", "content": "Where is my parcel?"}
        posted = receive_message(work, BO, {"kind": "ticket", **target(work, "4711")}, [content])
        return str(GlobalId("tic", posted.interaction))

    ref = await graph.database.command(fill)
    try:
        await _climb(graph, ref)
    finally:
        await graph.database.close()


async def _climb(graph: Graph, ref: str) -> None:
    number = (await graph.read("query($id: ID!) { node(id: $id) { ... on Ticket { ticketNumber } } }", ADMIN, id=ref))[
        "node"
    ]["ticketNumber"]
    found = (await graph.read(READ, ADMIN, number=number))["ticket"]
    assert (found["id"], found["subject"], found["level"], found["status"]) == (ref, "Parcel", 1, "NEW")
    assert found["viewerCan"] == {"escalate": True, "transfer": False, "restart": False}
    assert found["attention"]["reason"] == "CUSTOMER_WAITING"
    for level in (2, 3):
        payload = await graph.do("escalateTicket", {"id": ref}, f"ticket {{ {FIELDS} }}", ADMIN)
        assert payload["ticket"]["level"] == level
        assert payload["ticket"]["attention"] == {"needed": True, "reason": "OVERDUE"}
    refused = await graph.attempt("escalateTicket", {"id": ref}, "", ADMIN)
    assert [error["code"] for error in refused["errors"]] == ["INVALID_TRANSITION"]
    history = "query($id: ID!) { interaction(id: $id) { history(first: 2) { nodes { topic } } } }"
    told = (await graph.read(history, ADMIN, id=ref))["interaction"]["history"]["nodes"]
    assert {each["topic"] for each in told} == {"INTERACTION_ESCALATED", "ATTENTION_CHANGED"}
    closed = await graph.do("closeInteraction", {"id": ref}, "interaction { state ... on Ticket { status } }", ADMIN)
    assert closed["interaction"] == {"state": "CLOSED", "status": "SOLVED"}
