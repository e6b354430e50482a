"""The ChatSession contract at /api/v1: existing clients of SuperOffice speak it."""

from dataclasses import replace

from app.kinds.chat_session.reads.contract import CONTRACT_ROOTS, CONTRACT_TYPES
from app.kinds.chat_session.reads.mapping import SEES
from app.kinds.chat_session.rest.agents import AGENTS
from app.kinds.chat_session.rest.answers import TYPES, answering
from app.kinds.chat_session.rest.handing import HANDING
from app.kinds.chat_session.rest.listing import LISTING
from app.kinds.chat_session.rest.messages import MESSAGING
from app.kinds.chat_session.rest.refusals import refused
from app.kinds.chat_session.rest.sessions import SESSIONS
from app.kinds.chat_session.rest.shapes import Error
from app.rest import BASIC, BEARER, SO_TICKET, Contract, Description, guarded

_OPERATIONS = (*LISTING, *SESSIONS, *HANDING, *MESSAGING, *AGENTS)

CONTRACT = Contract(
    name="chat_session",
    base="/api/v1",
    operations=guarded(SEES, (replace(each, handler=answering(each.handler)) for each in _OPERATIONS)),
    schemes=(BASIC, SO_TICKET, BEARER),
    refused=refused,
    description=Description(
        title="Chat sessions",
        version="1",
        what="The contract of SuperOffice's chat sessions, as Switchboard serves it. Names of a request's members may "
        "be in any case; unknown ones are ignored. Answers are JSON: `SO-TimeZone` (`Europe/Oslo`, `+02:00`) says in "
        "which zone their times are, by default UTC.",
        error=Error,
        always=(400, 401, 403, 406, 429, 503),
        answered_in=TYPES[:2],
    ),
    roots=CONTRACT_ROOTS,
    types=CONTRACT_TYPES,
    any_case=True,
)
