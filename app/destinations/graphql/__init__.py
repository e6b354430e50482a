"""Destinations in the graph."""

from app.destinations.graphql.mutations import DestinationMutation
from app.destinations.graphql.query import DestinationQuery, DestinationSubscription
from app.destinations.reads import MAPPINGS, ROOTS, STREAMS
from app.graph.slice import Slice

DESTINATIONS = Slice(
    query=DestinationQuery,
    mutation=DestinationMutation,
    subscription=DestinationSubscription,
    mappings=MAPPINGS,
    roots=ROOTS,
    streams=STREAMS,
)
"""What destinations add to the graph."""
