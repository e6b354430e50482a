"""The AgentSession contract at /v2: existing clients of the AI agents' system speak it."""

from pathlib import Path

from app.kinds.agent_session.model import NAME
from app.kinds.agent_session.reads.contract import CONTRACT_ROOTS, CONTRACT_TYPES
from app.kinds.agent_session.rest.agents import AGENTS
from app.kinds.agent_session.rest.events import EVENTS
from app.kinds.agent_session.rest.refusals import STATUSES, refused
from app.kinds.agent_session.rest.sessions import SESSIONS
from app.kinds.agent_session.rest.tokens import TOKENS
from app.rest import BEARER, X_API_KEY, Contract, guarded

CONTRACT = Contract(
    name="agent_session",
    base="/v2",
    operations=(*guarded(f"{NAME}:read", (*AGENTS, *SESSIONS, *EVENTS)), *TOKENS),
    schemes=(BEARER, X_API_KEY),
    refused=refused,
    statuses=STATUSES,
    description=Path(__file__).with_name("openapi.json"),
    roots=CONTRACT_ROOTS,
    types=CONTRACT_TYPES,
)
