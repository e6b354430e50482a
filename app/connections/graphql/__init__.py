"""Connections in the graph, and the origin of interactions."""

from app.connections.graphql.mutations import connection_mutation
from app.connections.graphql.query import ConnectionQuery, ConnectionSubscription
from app.connections.graphql.types import Upstream
from app.connections.model.outbox import UpstreamState
from app.connections.reads import CHANGE, MAPPINGS, MESSAGE_STATE, ROOTS, STREAMS, UPSTREAM
from app.connections.service.systems import Connectors
from app.graph.fields import edge
from app.graph.slice import Addition, Slice
from app.interactions.graphql import Interaction
from app.interactions.graphql.types import Message

__all__ = ("connections_slice",)


def connections_slice(connectors: Connectors) -> Slice:
    """What connections add to the graph. `connectors` are given by the names of their systems."""
    return Slice(
        query=ConnectionQuery,
        mutation=connection_mutation(connectors),
        subscription=ConnectionSubscription,
        mappings=(*MAPPINGS, CHANGE),
        roots=ROOTS,
        streams=STREAMS,
        additions=(
            Addition(
                to=Interaction,
                name="upstream",
                gives=Upstream | None,
                field=edge(
                    description=(
                        "The origin of the interaction in a connected system; null when it began in Switchboard."
                    )
                ),
                mapping=UPSTREAM,
            ),
            Addition(
                to=Message,
                name="upstream_state",
                gives=UpstreamState | None,
                field=edge(
                    description="The state of the message in the connected system; null when nothing is written to "
                    "that system."
                ),
                mapping=MESSAGE_STATE,
            ),
        ),
    )
