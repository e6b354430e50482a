"""The Conversation contract at /third-party/v1: existing clients of the messenger speak it."""

from app.kinds.conversation.reads.contract import CONTRACT_ROOTS, CONTRACT_TYPES
from app.kinds.conversation.reads.mapping import SEES
from app.kinds.conversation.rest import conversations, directory, messages, notes
from app.kinds.conversation.rest.answers import Refusal
from app.kinds.conversation.rest.refusals import STATUSES, refused
from app.rest import BEARER, Contract, Description, guarded

CONTRACT = Contract(
    name="conversation",
    base="/third-party/v1",
    operations=(
        *guarded(SEES, (*conversations.OPERATIONS, *messages.OPERATIONS, *notes.OPERATIONS)),
        *directory.OPERATIONS,
    ),
    schemes=(BEARER,),
    refused=refused,
    statuses=STATUSES,
    description=Description(
        title="Client API",
        version="0.1.0",
        what="The Conversation contract as Switchboard serves it.",
        error=Refusal,
        server="/third-party/v1",
    ),
    roots=CONTRACT_ROOTS,
    types=CONTRACT_TYPES,
)
