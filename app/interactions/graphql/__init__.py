"""The graph of all kinds: interface, messages, notes, history, commands."""

from collections.abc import Mapping

from app.directory.graphql import Customer, Profile
from app.graph.fields import PAGING, Connection, edge
from app.graph.slice import Addition, Slice
from app.interactions.graphql.counting import CountsQuery
from app.interactions.graphql.enums import Level, State
from app.interactions.graphql.erasing import ErasingMutation
from app.interactions.graphql.errors import ERROR_MAPPINGS, ERROR_TYPES
from app.interactions.graphql.filters import InteractionFilter
from app.interactions.graphql.messaging import MessageMutation
from app.interactions.graphql.mutations import HoldingMutation, NoteMutation, StateMutation
from app.interactions.graphql.query import FILTER, ORDER, InteractionsQuery
from app.interactions.graphql.subscriptions import InteractionEvent, InteractionsSubscription
from app.interactions.graphql.teams import TeamingMutation
from app.interactions.graphql.types import Attention, Interaction, Message, Note
from app.interactions.reads.counting import COUNT_MAPPINGS, COUNTS
from app.interactions.reads.mapping import (
    MAPPINGS,
    OF_CUSTOMER,
    OF_PROFILE,
    ROOTS,
    interaction_by_id,
    interactions_found,
)
from app.interactions.reads.streams import CHANGE, TYPING, InteractionStreams

__all__ = (
    "Attention",
    "Interaction",
    "InteractionEvent",
    "InteractionFilter",
    "Level",
    "Message",
    "Note",
    "State",
    "interactions_slice",
)


class _Query(InteractionsQuery, CountsQuery):
    pass


class _Mutation(HoldingMutation, StateMutation, NoteMutation, MessageMutation, ErasingMutation, TeamingMutation):
    pass


def interactions_slice(kinds: Mapping[str, str]) -> Slice:
    """What all kinds share in the graph; `kinds` gives each prefix of their ids its kind's name."""
    return Slice(
        query=_Query,
        mutation=_Mutation,
        subscription=InteractionsSubscription,
        types=ERROR_TYPES,
        mappings=(*MAPPINGS, *COUNT_MAPPINGS, *ERROR_MAPPINGS, CHANGE, TYPING),
        roots={
            **ROOTS,
            "interaction": interaction_by_id(kinds),
            "interactionCounts": COUNTS,
            "searchInteractions": interactions_found(kinds),
        },
        streams=InteractionStreams(kinds).streams(),
        additions=(
            Addition(
                to=Customer,
                name="interactions",
                gives=Connection[Interaction],
                field=edge(
                    description="The interactions of the customer that the caller may see.",
                    filter=FILTER,
                    order_by=ORDER,
                    **PAGING,
                ),
                mapping=OF_CUSTOMER,
            ),
            Addition(
                to=Profile,
                name="interactions",
                gives=Connection[Interaction],
                field=edge(
                    description="The interactions of the person in all systems that the caller may see.",
                    filter=FILTER,
                    order_by=ORDER,
                    **PAGING,
                ),
                mapping=OF_PROFILE,
            ),
        ),
    )
