"""Erasing a customer with everything that was said."""

from dataclasses import replace
from typing import TYPE_CHECKING

from app.core.actor import Actor
from app.core.ids import GlobalId, require_id
from app.directory.model import Customer
from app.directory.repository import CustomerRepository
from app.directory.service import delete_customer
from app.interactions.model import Attention, State
from app.interactions.repository.interactions import InteractionRepository
from app.interactions.service.change import record

if TYPE_CHECKING:
    from app.storage.work import Work


def erase_customer(work: "Work", actor: Actor, ref: GlobalId | str, *, if_version: int | None = None) -> Customer:
    """Erase a customer with its interactions of every kind; what it was.

    Each interaction is told of as deleted, so that lists and queues let go of it; the permission to change the
    directory is enough, because a person's wish to be forgotten does not stop at a kind.
    Raises Forbidden, NotFound, InvalidInput, VersionConflict."""
    actor.require("directory:write")
    number = require_id(str(ref), "cus").number
    # Locked first, as by who opens an interaction for it: after this no new one can appear.
    work.use(CustomerRepository).get(number, for_update=True)
    interactions = work.use(InteractionRepository)
    for interaction_id, kind in interactions.list_of_customer(number):
        before = work.kinds[kind].load(work, interaction_id)
        if before is not None:
            interactions.delete(interaction_id)
            gone = replace(before, state=State.CLOSED, attention=Attention())
            record(work, actor, before, gone, "deleted", is_gone=True)
    return delete_customer(work, actor, ref, if_version=if_version)
