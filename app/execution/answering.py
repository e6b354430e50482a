"""Answers to operations: what was found, or why there is nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import structlog
from graphql import FieldNode

from app.core.errors import release
from app.core.trail import current
from app.execution import errors
from app.execution.costs import Cost
from app.execution.outcome import Outcome, Refused
from app.graph.context import Context
from app.selection.encoding import encoded

log = structlog.get_logger(__name__)


def answered(data: Mapping[str, Any] | None, entries: Sequence[errors.Entry], cost: Cost | None) -> bytes:
    """The encoded answer of an operation that has run; with its cost where that was asked for."""
    answer: dict[str, object] = {"data": data}
    if entries:
        answer["errors"] = entries
    if cost is not None:
        answer["extensions"] = {"cost": cost.after()}
    return encoded(answer)


def refusal(refused: Refused) -> Outcome:
    """The answer to a refused operation, which is noted in its trail."""
    release(refused)
    if (trail := current()) is not None:
        # Its entries may have been made in the compile thread, which answers nobody.
        trail.refused(refused.code)
    return Outcome(orjson.dumps({"errors": refused.entries}), refused.phase)


def internal(
    error: Exception, context: Context, path: Sequence[str | int] | None = None, nodes: Sequence[FieldNode] = ()
) -> errors.Entry:
    """The entry of a fault of ours, which is logged."""
    log.error("operation failed", request_id=context.request_id, exc_info=error)
    release(error)
    return errors.internal(path, nodes)
