"""Updates interactions after the failed delivery of an answer."""

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from app.core.actor import Actor
from app.interactions.messages import Message, MessageStatus, answered_by
from app.interactions.model import Interaction, State
from app.interactions.repository.waits import WaitRepository

if TYPE_CHECKING:
    from app.interactions.rules import KindRules
    from app.storage.work import Work

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures


def rederived(work: "Work", interaction: I) -> I:
    """The interaction with wait and lease derived from the stored messages again, after one was changed or deleted."""
    return _at_wait(work, interaction, interaction.waiting.settled_id)


def after_delivery(work: "Work", actor: Actor, interaction: I, answer: Message) -> I:
    """The interaction after the delivery of a stored answer failed, or a reported failure was revoked.

    When no later answer stands, the interaction is as if the failed one had not been sent: the customer waits, and the
    lease that it ended runs again. A close or snooze that assumed its arrival is undone, and attention is raised."""
    kind: KindRules[I] = work.kinds[interaction.kind]
    if answer.status is not MessageStatus.ERROR:
        derived = rederived(work, interaction)
        # After the wait is derived: a snooze is shortened only for a customer who waits.
        return kind.on_delivery(
            work, replace(derived, waiting=replace(derived.waiting, answer=answered_by(answer))), answer
        )
    interaction = kind.on_delivery(work, interaction, answer)
    if work.use(WaitRepository).stands_after(interaction.id, answer.id):
        return rederived(work, interaction)
    settled_id = interaction.waiting.settled_id
    believed = settled_id is not None and settled_id > answer.id
    interaction = _at_wait(work, interaction, None if believed else settled_id)
    if not interaction.waiting.needed:
        return interaction
    if interaction.state is State.CLOSED:
        return kind.on_reopen(work, actor, interaction)
    if interaction.state is State.SNOOZED:
        return kind.on_snooze(work, actor, interaction, None)
    return interaction


def _at_wait(work: "Work", interaction: I, settled_id: int | None) -> I:
    waits = work.use(WaitRepository)
    interaction = replace(interaction, waiting=waits.derive(interaction.id, settled_id))
    first, lease = interaction.lease_answer_id, interaction.answered_lease or interaction.claimed_until
    if first is None or lease is None or interaction.assignee_id is None:
        return interaction
    answered = waits.stands_after(interaction.id, first - 1, interaction.assignee_id)
    if answered:
        return replace(interaction, claimed_until=None, answered_lease=lease)
    return replace(interaction, claimed_until=lease, answered_lease=None)
