"""AI agents and their sessions, made by the graph's own mutations."""

from typing import Any

from tests.graph.exchanges import receive, text
from tests.graph.people import People
from tests.graph.running import Graph

SESSION = "agentSession { id }"


async def store_agent_sessions(graph: Graph, people: People) -> list[str]:
    """Sessions that are escalated, calm, disabled, and one that goes by itself."""
    bo = people.actors["bo"]
    for given in (
        {
            "name": "Customer support",
            "agentKey": "agt_customer_support",
            "description": "Helps",
            "metadata": {"z": 1, "a": [1.50, {"deep": None}]},
            "model": {"name": "large"},
            "steps": {"one": {"next": "two"}},
            "firstStep": {"type": "conversational"},
            "firstStepName": "one",
            "compaction": {"enabled": False},
        },
        {"name": "Off", "enabled": False},
        {"name": "Other", "agentKey": "agt_other"},
    ):
        await graph.do("createAiAgent", given)

    async def create(**given: Any) -> str:
        made = await graph.do(
            "createAgentSession", {"agentKey": "agt_customer_support", **given}, SESSION, actor=people.admin
        )
        return str(made["agentSession"]["id"])

    escalated = await create(
        agentSessionKey="ase_customer_support_001",
        name="Order 4711",
        description='A "long" story',
        metadata={"customer_id": "cust_zoe", "priority": "urgent", "big": 12345678901234567890, "e": 1e-7, "ö": "ü"},
        secrets={"token": "hidden"},
        ttiMinutes=90,
    )
    graph.clock.advance(2)
    _, asked = await receive(graph, {"interactionId": escalated}, text("Talk to a human"))
    await graph.do("sendMessage", {"id": escalated, "content": text("A human here"), "referenceId": asked}, actor=bo)
    await graph.do("addNote", {"id": escalated, "text": "angry"}, actor=bo)
    calm = await create(name="Calm", metadata={"resolution_status": "open"})
    disabled = await create(agentSessionKey="closed-1", metadata={"escalation_level": 2})
    await graph.do("closeInteraction", {"id": disabled}, actor=bo)
    opened, _ = await receive(
        graph,
        {"customer": {"kind": "AGENT_SESSION", "customerId": people.customers["zoe_agent"], "agentKey": "agt_other"}},
        text("Hi there"),
    )
    return [escalated, calm, disabled, opened]
