"""What becomes of an interaction whose answer did not reach the customer."""

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from app.core.actor import Actor
from app.interactions.messages import Message, MessageStatus
from app.interactions.model import Interaction, State
from app.interactions.repository.waits import WaitRepository
from app.interactions.waiting import Waiting

if TYPE_CHECKING:
    from app.interactions.rules import KindRules
    from app.storage.work import Work

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures


def rederived(work: "Work", interaction: Interaction) -> Waiting:
    """The wait as the stored messages make it, after one of them changed or went."""
    return work.use(WaitRepository).derive(interaction.id, interaction.waiting.settled_id)


def after_delivery(work: "Work", actor: Actor, interaction: I, answer: Message) -> I:
    """The interaction after the delivery of a stored answer failed, or turned out not to have failed.

    When the latest answer failed, everything is as if it had not been sent: the customer waits, and the lease runs that
    it ended. Closing and snoozing were decided in the belief that it arrived, so they end, and somebody is told."""
    waits = work.use(WaitRepository)
    latest = waits.latest_answer(interaction.id)
    if answer.status is not MessageStatus.ERROR or latest is None or latest.id != answer.id:
        return replace(interaction, waiting=rederived(work, interaction))
    settled_id = interaction.waiting.settled_id
    believed = settled_id is not None and settled_id > answer.id
    waiting = waits.derive(interaction.id, None if believed else settled_id)
    interaction = replace(interaction, waiting=waiting)
    if interaction.answered_lease is not None:
        interaction = replace(interaction, claimed_until=interaction.answered_lease, answered_lease=None)
    kind: KindRules[I] = work.kinds[interaction.kind]
    interaction = kind.on_answer_failed(work, interaction, answer)
    if not waiting.needed:
        return interaction
    if interaction.state is State.CLOSED:
        return kind.on_reopen(work, actor, interaction)
    if interaction.state is State.SNOOZED:
        return kind.on_snooze(work, actor, interaction, None)
    return interaction
