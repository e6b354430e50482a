"""The fields of `viewerCan` for the commands that only one kind takes."""

from collections.abc import Mapping

from app.graph.fields import edge
from app.graph.slice import Addition
from app.interactions.graphql.types import ViewerCan
from app.interactions.model import AnyCommand


def viewer_may(commands: Mapping[AnyCommand, str]) -> tuple[Addition, ...]:
    """A field of `ViewerCan` for each of a kind's own commands: "Whether the caller may " and its text.

    It is false for interactions of other kinds."""
    return tuple(
        Addition(
            to=ViewerCan, name=command.lower(), gives=bool, field=edge(description=f"Whether the caller may {what}.")
        )
        for command, what in commands.items()
    )
