"""Writes refusals to the log."""

from collections.abc import Mapping

from app.directory.events import UserRefused
from app.directory.model.refusal import Counted, Refusal
from app.storage.work import Work


def record_refusals(work: Work, counted: Mapping[Refusal, Counted]) -> None:
    """Record one event for each of the refusals."""
    for refusal, found in counted.items():
        happened = UserRefused(
            user_id=refusal.user_id,
            reason=refusal.reason.value,
            permission=refusal.permission,
            api_key_id=found.key_id,
            times=found.times,
        )
        work.record(happened.record(assignee_id=refusal.user_id, actor_id=refusal.user_id))
