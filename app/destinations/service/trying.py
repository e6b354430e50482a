"""Commands for test deliveries."""

from typing import NamedTuple

import orjson

from app.core.actor import Actor
from app.core.clock import rfc3339
from app.core.errors import Conflict
from app.core.sealing import Unreadable
from app.destinations.channels import Target
from app.destinations.model import Attempt, Delivery, DeliveryStatus, Destination
from app.destinations.repository import DeliveryRepository
from app.destinations.service.finding import managed, unsealed
from app.directory.service.editing import Ref
from app.storage.work import Work


class Trial(NamedTuple):
    """A test message for a destination."""

    destination: Destination
    target: Target
    webhook_id: str
    text: str


def begin_trial(work: Work, actor: Actor, ref: Ref) -> Trial:
    """The test message for a destination in any state. Raises Forbidden, NotFound, and Conflict when its secret cannot
    be unsealed."""
    found = managed(work, actor, ref)
    try:
        secrets = unsealed(work, found)
    except Unreadable as unreadable:
        raise Conflict(str(unreadable), path=("id",)) from None
    body = orjson.dumps({"test": {"destinationId": f"dst_{found.id}", "at": rfc3339(work.now)}})
    return Trial(found, Target(found.address, secrets), work.ids.key(f"dst_{found.id}_test"), body.decode())


def end_trial(work: Work, actor: Actor, trial: Trial, attempt: Attempt) -> int:
    """Record the attempt. Returns the surrogate of its delivery. Raises Forbidden, NotFound."""
    found = managed(work, actor, f"dst_{trial.destination.id}")
    tried = Delivery(
        webhook_id=trial.webhook_id,
        place=None,
        topic=None,
        interaction_id=None,
        status=DeliveryStatus.DELIVERED if attempt.is_success else DeliveryStatus.GIVEN_UP,
        attempts=1,
        first_attempt_at=attempt.at,
        next_attempt_at=None,
        latest=attempt,
    )
    return work.use(DeliveryRepository).note(found.id, found.run, tried, behind=True)
