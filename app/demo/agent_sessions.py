"""Stories of AgentSessions, among them the example of the contract's page."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from app.core.ids import GlobalId
from app.demo.cast import ROOT, Cast
from app.demo.stage import Stage, Story
from app.demo.talking import answering, hearing, talk
from app.demo.texts import ENGLISH, OTHERS, Line
from app.directory.service import create_customer
from app.interactions.messages import MessageAuthor
from app.interactions.model import Level
from app.interactions.service.holding import assign
from app.interactions.service.messages import mark_read
from app.interactions.service.state import close, raise_attention
from app.kinds.agent_session.model import PREFIX
from app.kinds.agent_session.service import create, create_agent, update

_AGENTS: Mapping[str, str] = {
    "agt_customer_support": "Customer support",
    "agt_sales": "Sales assistant",
    "agt_technical_help": "Technical help",
}
_PAGE_AGENT = "agt_customer_support"

# Person, minutes ago, agent, issue, lines, what happens then.
_SCENES: tuple[tuple[int, float, str, str, Sequence[Line], str], ...] = (
    (0, 3_100, "agt_customer_support", "delivery", ENGLISH[0], "close"),
    (1, 2_500, "agt_customer_support", "billing", ENGLISH[1], "close"),
    (2, 2_000, "agt_technical_help", "heating", OTHERS[1], "close"),
    (3, 1_500, "agt_sales", "shoes", OTHERS[2], "close"),
    (4, 600, "agt_customer_support", "tickets", OTHERS[4], "close"),
    (5, 300, "agt_customer_support", "account", ENGLISH[2], ""),
    (6, 150, "agt_technical_help", "account", ENGLISH[2][:3], "escalate"),
    (7, 75, "agt_customer_support", "billing", ENGLISH[1][:3], "escalate at once"),
    (8, 50, "agt_sales", "coupon", OTHERS[6][:3], "raise"),
    (9, 22, "agt_customer_support", "delivery", OTHERS[2][:2], ""),
    (10, 6, "agt_sales", "shipping", ENGLISH[3][:3], ""),
)


def stories(stage: Stage, cast: Cast) -> Iterator[Story]:
    """Three AI agents with twelve AgentSessions."""
    for key, name in _AGENTS.items():
        stage.do(create_agent, ROOT, {"name": name, "description": f"{name} of the demo."}, agent_key=key)
    yield _page(stage, cast)
    for person, minutes, agent, issue, lines, ending in _SCENES:
        yield _scene(stage, cast, person, stage.ago(minutes=minutes), agent, issue, lines, ending)


def _page(stage: Stage, cast: Cast) -> Story:
    """The session that the page's request escalates; it began five hours before."""
    gateway = cast["gateway"]
    yield stage.ago(hours=5)
    given = {"system": "AGENT_SESSION", "customer_key": "customer_12345", "name": "Grace Holloway"}
    stage.do(create_customer, gateway, given)  # type: ignore[arg-type]
    metadata = {
        "customer_id": "customer_12345",
        "priority": "high",
        "channel": "web_chat",
        "issue_category": "billing",
        "resolution_status": "in_progress",
    }
    session = stage.do(
        create,
        gateway,
        _PAGE_AGENT,
        {"name": "Billing inquiry", "description": "Billing inquiry of a customer", "metadata": metadata},
        agent_session_key="ase_customer_support_001",
    )
    ref = GlobalId(PREFIX, session.id)
    agent = answering(stage, gateway, ref, MessageAuthor.AI_AGENT)
    yield from talk(
        stage.now + timedelta(minutes=1), timedelta(minutes=2), ENGLISH[1][:4], hearing(stage, gateway, ref), agent
    )


def _scene(
    stage: Stage,
    cast: Cast,
    person: int,
    at: datetime,
    agent_key: str,
    issue: str,
    lines: Sequence[Line],
    ending: str,
) -> Story:
    gateway, femi = cast["gateway"], cast["femi"]
    yield at
    metadata = {
        "customer_id": f"demo-agent_session-{person}",
        "priority": "normal",
        "channel": "mobile_app",
        "issue_category": issue,
    }
    session = stage.do(create, gateway, agent_key, {"name": f"About {issue}", "metadata": metadata})
    ref = GlobalId(PREFIX, session.id)
    agent = answering(stage, gateway, ref, MessageAuthor.AI_AGENT)
    yield from talk(at + timedelta(seconds=5), timedelta(seconds=25), lines, hearing(stage, gateway, ref), agent)
    if not ending:
        return
    yield stage.now + timedelta(minutes=1)
    if ending == "close":
        stage.do(mark_read, femi, ref)
        stage.do(close, femi, ref)
    elif ending == "raise":
        stage.do(raise_attention, femi, ref, Level.LOW)
    else:
        at_once = {"priority": "urgent", "escalation_level": "tier_2"} if ending == "escalate at once" else {}
        stage.do(update, gateway, ref, {"metadata": {**metadata, "resolution_status": "escalated", **at_once}})
        if ending == "escalate":
            yield stage.now + timedelta(minutes=4)
            stage.do(assign, cast["ingrid"], ref, femi.user_id)
