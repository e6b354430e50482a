"""The ChatSession contract at /api/v1: existing clients of SuperOffice speak it."""

from dataclasses import replace
from pathlib import Path

from app.kinds.chat_session.model.session import KIND
from app.kinds.chat_session.reads.contract import CONTRACT_ROOTS, CONTRACT_TYPES
from app.kinds.chat_session.rest.agents import AGENTS
from app.kinds.chat_session.rest.answers import answering
from app.kinds.chat_session.rest.handing import HANDING
from app.kinds.chat_session.rest.listing import LISTING
from app.kinds.chat_session.rest.messages import MESSAGING
from app.kinds.chat_session.rest.refusals import refused
from app.kinds.chat_session.rest.sessions import SESSIONS
from app.rest import BASIC, BEARER, SO_TICKET, Contract, guarded

_OPERATIONS = (*LISTING, *SESSIONS, *HANDING, *MESSAGING, *AGENTS)

CONTRACT = Contract(
    name="chat_session",
    base="/api/v1",
    operations=guarded(f"{KIND}:read", (replace(each, handler=answering(each.handler)) for each in _OPERATIONS)),
    schemes=(BASIC, SO_TICKET, BEARER),
    refused=refused,
    description=Path(__file__).with_name("openapi.json"),
    roots=CONTRACT_ROOTS,
    types=CONTRACT_TYPES,
    any_case=True,
)
