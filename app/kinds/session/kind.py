"""The kind, as the registry lists it."""

from app.interactions.kind import InteractionKind
from app.kinds.session.graphql import SLICE
from app.kinds.session.rest import CONTRACT
from app.kinds.session.service import Rules
from app.kinds.session.settings import SessionSettings
from app.kinds.session.upstream import CONNECTORS

kind = InteractionKind(
    rules=Rules(),
    description="An exchange of a customer with a messaging bot that asks humans for help.",
    customers="The messaging bot. Its exchanges are Sessions.",
    slice=SLICE,
    contract=CONTRACT,
    settings=SessionSettings,
    connectors=CONNECTORS,
)
