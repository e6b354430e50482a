"""Answers to operations that were refused or failed."""

from collections.abc import Sequence

import orjson
import structlog
from graphql import FieldNode

from app.core.errors import release
from app.core.trail import current
from app.execution import errors
from app.execution.outcome import Outcome, Refused
from app.graph.context import Context

log = structlog.get_logger(__name__)


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
