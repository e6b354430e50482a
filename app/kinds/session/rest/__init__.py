"""The Session contract at /v1, for the messaging bot's existing clients."""

from app.kinds.session.reads.contract import CONTRACT_ROOTS, CONTRACT_TYPES
from app.kinds.session.reads.mapping import SEES
from app.kinds.session.rest.answers import Error
from app.kinds.session.rest.customers import CUSTOMERS
from app.kinds.session.rest.refusals import STATUSES, refused
from app.kinds.session.rest.sessions import SESSIONS
from app.rest import BEARER, TOKEN, Contract, Description, guarded

CONTRACT = Contract(
    name="session",
    base="/v1",
    operations=(*guarded(SEES, SESSIONS), *CUSTOMERS),
    schemes=(BEARER, TOKEN),
    refused=refused,
    statuses=STATUSES,
    description=Description(
        title="Sessions",
        version="1",
        what="The contract of the messaging bot's Sessions, as Switchboard serves it. "
        "Unknown members of a request are ignored.",
        error=Error,
    ),
    roots=CONTRACT_ROOTS,
    types=CONTRACT_TYPES,
)
