"""Destinations and policies in the graph."""

import strawberry

from app.destinations.graphql.mutations import DestinationMutation
from app.destinations.graphql.policies import PolicyMutation, PolicyQuery, PolicySubscription
from app.destinations.graphql.query import DestinationQuery, DestinationSubscription
from app.destinations.reads import MAPPINGS, ROOTS, STREAMS
from app.graph.slice import Slice


@strawberry.type
class _Query(DestinationQuery, PolicyQuery):
    pass


@strawberry.type
class _Mutation(DestinationMutation, PolicyMutation):
    pass


@strawberry.type
class _Subscription(DestinationSubscription, PolicySubscription):
    pass


DESTINATIONS = Slice(
    query=_Query,
    mutation=_Mutation,
    subscription=_Subscription,
    mappings=MAPPINGS,
    roots=ROOTS,
    streams=STREAMS,
)
"""What destinations and policies add to the graph."""
