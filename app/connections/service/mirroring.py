"""The rules of kinds with interactions in other systems."""

from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from app.connections.service.applying import erase_deliveries, forget_mirrored
from app.connections.service.outbox import drop_troubled, is_of_ours
from app.core.actor import Actor
from app.interactions.meaning import InteractionEvent
from app.interactions.model import AnyCommand, Command, Interaction
from app.interactions.repository.interactions import InteractionRepository
from app.interactions.service.kind_rules import DefaultRules

if TYPE_CHECKING:
    from app.directory.model import Customer
    from app.storage.work import Work

I = TypeVar("I", bound=Interaction)  # noqa: E741 - the one interaction of these signatures


class _Connected(Protocol):
    @property
    def cannot(self) -> str | None:
        """The commands that its system cannot do. None when it is in no other system."""


class MirroredRules(DefaultRules[I]):
    """The shared rules of such kinds. A kind adds `queue_changes`, `outgoing` and `restored`."""

    def queue_changes(
        self, work: "Work", actor: Actor, before: I, after: I, command: AnyCommand, happened: InteractionEvent
    ) -> None:
        """Queue the parts of a change made here that the other system has to be told."""
        raise NotImplementedError

    def on_written(
        self, work: "Work", actor: Actor, before: I, after: I, command: AnyCommand, happened: InteractionEvent
    ) -> None:
        if cast("_Connected", before).cannot is None or not is_of_ours(actor, happened):
            return
        if command is Command.CLEAR_ATTENTION:
            drop_troubled(work, before.id)
        self.queue_changes(work, actor, before, after, command, happened)

    def on_customer_erased(self, work: "Work", customer: "Customer") -> None:
        erase_deliveries(work, customer.customer_key)
        found = work.use(InteractionRepository).list_of_customer(customer.id)
        forget_mirrored(work, [number for number, kind in found if kind == self.name])
