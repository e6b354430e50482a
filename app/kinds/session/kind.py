"""The kind as the registry lists it."""

from app.interactions.kind import InteractionKind
from app.kinds.session.graphql import SLICE
from app.kinds.session.rest import CONTRACT
from app.kinds.session.service import Rules

kind = InteractionKind(
    rules=Rules(),
    description="An exchange of a customer with a messaging bot that asks humans for help.",
    slice=SLICE,
    contract=CONTRACT,
    topics={
        "session.ended": "Its time was up, and it ended.",
        "session.flagged": "Its time was up while a human was needed, and it was flagged.",
        "session.suggested_message_used": "A suggested message was sent.",
    },
)
