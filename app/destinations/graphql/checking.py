"""Checks of a destination before the command that stores it."""

from typing import Any

from app.core.actor import Actor
from app.core.errors import InvalidInput
from app.destinations import service
from app.destinations.channels import CHANNELS
from app.destinations.graphql.inputs import CreateDestinationInput
from app.destinations.model import DestinationChanges, DestinationType
from app.graph.context import Context, Subscribable
from app.outbound import OutboundFault


async def _reachable(context: Context, type_: DestinationType, address: str) -> None:
    """Raises InvalidInput for a URL that may not be requested now."""
    if CHANNELS[type_].by_mail:
        return
    try:
        await context.outside.client.check(address)
    except OutboundFault as fault:
        raise InvalidInput(fault.message, path=("address",)) from None


async def _subscribable(context: Context, actor: Actor, document: str | None, name: str | None, variables: Any) -> None:
    given = {} if variables is None else variables
    if document is None:
        if given or name is not None:
            raise InvalidInput("Variables and an operation name need a document.", path=("document",))
        return
    if not isinstance(given, dict):
        raise InvalidInput("This takes a JSON object.", path=("variables",))
    await context.outside.require_durable(actor, Subscribable(document, name, given))


async def check_new(context: Context, given: CreateDestinationInput) -> None:
    """Raises the refusal of the address or of the document of a new destination."""
    actor = await context.command(service.creates_as, (), {})
    await _reachable(context, given.type, given.address)
    await _subscribable(context, actor, given.document, given.operation_name, given.variables)


async def check_changes(context: Context, ref: str, given: DestinationChanges) -> None:
    """Raises the refusal of the address or of the document that a destination would get."""
    before, actor = await context.command(service.runs_as, (ref,), {})
    if "address" in given:
        await _reachable(context, before.type, given["address"])
    if given.keys() & {"document", "operation_name", "variables"}:
        await _subscribable(
            context,
            actor,
            given.get("document", before.document),
            given.get("operation_name", before.operation_name),
            given.get("variables", before.variables),
        )
