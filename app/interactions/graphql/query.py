"""The root fields of interactions of all kinds."""

import strawberry

from app.core.paging import DEFAULT_PAGE
from app.graph.fields import PAGING, Connection, argument, root
from app.interactions.graphql.enums import KindName
from app.interactions.graphql.filters import InteractionEventFilter, InteractionFilter
from app.interactions.graphql.ordering import NEWEST_INTERACTIONS, InteractionOrder
from app.interactions.graphql.types import EventPage, Interaction, Message

FILTER = argument(InteractionFilter | None, "Which interactions.")
EVENT_FILTER = argument(InteractionEventFilter | None, "Which interactions.")
ORDER = argument(InteractionOrder | None, "The order of the interactions.", NEWEST_INTERACTIONS)


@strawberry.type
class InteractionsQuery:
    interaction: Interaction | None = root(
        description="The interaction with an id, of any kind.", id=argument(strawberry.ID, "The id of the interaction.")
    )
    interactions: Connection[Interaction] | None = root(
        description="The interactions of all kinds that the caller may see.", filter=FILTER, order_by=ORDER, **PAGING
    )
    search_interactions: Connection[Interaction] | None = root(
        description="The interactions that a text finds, newest message first. They are found by a whole key: "
        "`conversationId`, `chatSessionId`, `sessionKey`, `agentSessionKey`, or an `id`; by their "
        "customer's name, company, telephone number (at least four digits from its beginning or end), "
        "e-mail address, key, display id or tags, which needs `directory:read`; or by the words of one "
        "of their messages. All words must be in one message, or belong to one customer. At most the "
        "newest 1,000 messages with the words are searched, and 1,000 customers.",
        text=argument(
            str,
            "A key, a number, or up to 32 words. Case and accents are ignored. The last word matches as a prefix; in "
            "messages, it does from three letters on.",
        ),
        filter=FILTER,
        **PAGING,
    )
    search_messages: Connection[Message] | None = root(
        description="The messages that contain all words of a text, newest first. Case and accents are ignored.",
        text=argument(str, "Up to 32 words that must all match; the last one matches as a prefix."),
        kinds=argument(
            list[KindName] | None,
            "The kinds of the messages' interactions.",
        ),
        **PAGING,
    )
    events: EventPage | None = root(
        description="The events after a cursor that the caller may see.",
        after=argument(
            str | None, "The cursor after which events are read. Without it, only the current cursor is returned."
        ),
        first=argument(int | None, "The number of events to read, 1 to 100.", DEFAULT_PAGE),
    )
