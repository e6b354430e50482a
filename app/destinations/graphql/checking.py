"""What is checked of a destination before the command that keeps it."""

from typing import Any

from app.core.actor import Actor
from app.core.errors import InvalidInput
from app.destinations import service
from app.destinations.graphql.inputs import CreateDestinationInput
from app.destinations.model import DestinationChanges
from app.graph.context import Context, Subscribable
from app.outbound import OutboundFault


async def _reachable(context: Context, address: str) -> None:
    """Raises InvalidInput for an address that may not be sent to now."""
    try:
        await context.outside.client.check(address)
    except OutboundFault as fault:
        raise InvalidInput(fault.message, path=("address",)) from None


async def _subscribable(context: Context, actor: Actor, document: str, name: str | None, variables: Any) -> None:
    given = {} if variables is None else variables
    if not isinstance(given, dict):
        raise InvalidInput("This takes a JSON object.", path=("variables",))
    await context.outside.require_durable(actor, Subscribable(document, name, given))


async def check_new(context: Context, given: CreateDestinationInput) -> None:
    """Raises the refusal of the address or of the document of a new destination."""
    actor = await context.command(service.creates_as, (), {})
    await _reachable(context, given.address)
    await _subscribable(context, actor, given.document, given.operation_name, given.variables)


async def check_changes(context: Context, ref: str, given: DestinationChanges) -> None:
    """Raises the refusal of the address or of the document that a destination would have."""
    before, actor = await context.command(service.runs_as, (ref,), {})
    if "address" in given:
        await _reachable(context, given["address"])
    if given.keys() & {"document", "operation_name", "variables"}:
        await _subscribable(
            context,
            actor,
            given.get("document", before.document),
            given.get("operation_name", before.operation_name),
            given.get("variables", before.variables),
        )
