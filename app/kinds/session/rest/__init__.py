"""The Session contract at /v1: existing clients of the messaging bot speak it."""

from pathlib import Path

from app.kinds.session.model import NAME
from app.kinds.session.reads.contract import CONTRACT_ROOTS, CONTRACT_TYPES
from app.kinds.session.rest.customers import CUSTOMERS
from app.kinds.session.rest.refusals import STATUSES, refused
from app.kinds.session.rest.sessions import SESSIONS
from app.rest import BEARER, TOKEN, Contract, guarded

CONTRACT = Contract(
    name="session",
    base="/v1",
    operations=(*guarded(f"{NAME}:read", SESSIONS), *CUSTOMERS),
    schemes=(BEARER, TOKEN),
    refused=refused,
    statuses=STATUSES,
    document=Path(__file__).with_name("openapi.json"),
    roots=CONTRACT_ROOTS,
    types=CONTRACT_TYPES,
)
