"""What the type checker has to refuse: calls of services that are wrong in name, type or number.

`warn_unused_ignores` makes each comment below a test: where a call is let through, the checks fail."""

from collections.abc import Mapping

from app.core.actor import Actor
from app.core.ids import GlobalId
from app.graph.context import Context
from app.interactions.graphql.mutations import on_interaction
from app.rest import Call
from app.storage.work import Work


class Payload:
    """What a mutation answers with."""


def close(work: Work, actor: Actor, ref: GlobalId, reason: str, *, if_version: int | None = None) -> str:
    """A service."""
    raise NotImplementedError


def gives_text(result: str) -> Mapping[str, object]:
    """The fields of a payload."""
    raise NotImplementedError


def gives_number(result: int) -> Mapping[str, object]:
    """The fields of another payload."""
    raise NotImplementedError


async def graphql(context: Context, ref: GlobalId) -> Payload:
    """A resolver's calls."""
    await _right(context, ref)
    await context.perform(None, "x", close, ref, 5)  # type: ignore[arg-type]
    await context.perform(None, "x", close, ref)  # type: ignore[call-arg]
    await context.perform(None, "x", close, ref, "done", iff_version=3)  # type: ignore[call-arg]
    await context.perform(None, gives_number, close, ref, "done")  # type: ignore[arg-type]
    await context.perform(None, "x", on_interaction, close, "id", 5)  # type: ignore[arg-type]
    await context.perform(None, "x", on_interaction, close, "id")  # type: ignore[arg-type]
    return await context.perform(None, "x", on_interaction, close, "id", "done", iff_version=3)  # type: ignore[arg-type]


async def rest(call: Call, ref: GlobalId) -> str:
    """A handler's calls."""
    await call.perform(close, ref, "done", if_version=3)
    await call.perform(close, ref, 5)  # type: ignore[arg-type]
    return await call.perform(close, ref)  # type: ignore[call-arg]


async def _right(context: Context, ref: GlobalId) -> Payload:
    await _with_a_function(context, ref)
    return await context.perform(None, "x", on_interaction, close, "id", "done", if_version=3)


async def _with_a_function(context: Context, ref: GlobalId) -> Payload:
    return await context.perform(None, gives_text, close, ref, "done", if_version=3)
