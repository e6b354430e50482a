"""The AgentSession contract at /v2, for the AI agents' existing clients."""

from app.kinds.agent_session.reads.contract import CONTRACT_ROOTS, CONTRACT_TYPES
from app.kinds.agent_session.reads.mapping import SEES
from app.kinds.agent_session.rest.agents import AGENTS
from app.kinds.agent_session.rest.answers import BadRequestError, Error, NotFoundError
from app.kinds.agent_session.rest.events import EVENTS
from app.kinds.agent_session.rest.refusals import STATUSES, refused
from app.kinds.agent_session.rest.sessions import SESSIONS
from app.kinds.agent_session.rest.tokens import TOKENS
from app.rest import BEARER, X_API_KEY, Contract, Description, guarded

CONTRACT = Contract(
    name="agent_session",
    base="/v2",
    operations=(*guarded(SEES, (*AGENTS, *SESSIONS, *EVENTS)), *TOKENS),
    schemes=(BEARER, X_API_KEY),
    refused=refused,
    statuses=STATUSES,
    description=Description(
        title="AI agents and their sessions",
        version="2",
        what="The contract of AI agents and AgentSessions, as Switchboard serves it. "
        "Unknown members of a request are ignored. Nothing is answered with 409, because clients repeat that.",
        error=Error,
        errors={400: BadRequestError, 404: NotFoundError, 413: BadRequestError, 415: BadRequestError},
        security={
            "oauth": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/oauth2/token", "scopes": {}}}}
        },
    ),
    roots=CONTRACT_ROOTS,
    types=CONTRACT_TYPES,
)
