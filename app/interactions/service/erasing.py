"""Erases a customer: hidden at once, rows and files afterwards."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from app.core.actor import SYSTEM, Actor
from app.core.ids import GlobalId, require_id
from app.directory.model import Customer
from app.directory.repository import CustomerRepository
from app.directory.service import delete_customer
from app.interactions.erased import FILES, INTERACTION, SEARCH
from app.interactions.events import Deleted
from app.interactions.model import Attention, State
from app.interactions.repository.erasing import ErasingRepository, Erasure, Part
from app.interactions.repository.interactions import InteractionRepository
from app.interactions.service.recording import record

if TYPE_CHECKING:
    from app.storage.work import Work


def erase_customer(work: "Work", actor: Actor, ref: GlobalId | str, *, if_version: int | None = None) -> Customer:
    """Erase a customer with its interactions of every kind; the customer before.

    From the end of this unit on nobody sees any of it. `erase_part` then erases its messages and notes and the free
    text in events.

    An event tells that each interaction is deleted, so that lists and queues drop it. The permission to change the
    directory is enough, because a person's right to be forgotten covers all kinds. Raises Forbidden, NotFound,
    InvalidInput, VersionConflict."""
    actor.require("directory:write")
    number = require_id(str(ref), "cus").number
    # Locked first, as by who opens an interaction for it: after this no new one can appear.
    customer = work.use(CustomerRepository).get(number, for_update=True)
    for rules in work.kinds.values() if customer is not None else ():
        rules.on_customer_erased(work, customer)
    interactions = work.use(InteractionRepository)
    for interaction_id, kind in interactions.list_of_customer(number):
        before = work.kinds[kind].load(work, interaction_id)
        if before is not None:
            interactions.delete(interaction_id)
            gone = replace(before, state=State.CLOSED, attention=Attention())
            record(work, actor, before, gone, Deleted(), is_gone=True)
    erased = delete_customer(work, actor, ref, if_version=if_version)
    work.use(ErasingRepository).begin_customer(Erasure(erased.id, erased.created_at, work.now))
    return erased


def erasures(work: "Work") -> Sequence[Erasure]:
    """Every customer that was erased, the oldest first."""
    return work.use(ErasingRepository).list_logged()


def repeat_erasure(work: "Work", done: Erasure) -> bool:
    """Erase the customer again if a restored backup has brought it back; whether it was there.

    Only the same person is erased: another customer may have the surrogate by now, but was stored at another time."""
    found = work.use(CustomerRepository).get(done.customer_id, for_update=True)
    if found is None or found.created_at != done.customer_created_at:
        work.use(ErasingRepository).log(done)
        return False
    erase_customer(work, SYSTEM, GlobalId("cus", found.id))
    return True


class Erased(NamedTuple):
    """The result of a unit: the number of rows, whether more is left, and the part that waits for the files to be
    cleaned, which no unit can do."""

    rows: int
    more: bool
    files: Part | None = None


EraseMore = Callable[["Work", int, int], int]
"""Erases of an interaction at most so many rows that another slice keeps, and says how many:
`erase(work, interaction_id, most)`."""


def erase_part(work: "Work", most: int, *elsewhere: EraseMore) -> Erased:
    """Erase at most `most` rows of deleted data, those of other slices by `elsewhere`. Call it until nothing is left;
    concurrent processes erase different parts."""
    erasing = work.use(ErasingRepository)
    part = erasing.claim()
    if part is None:
        return Erased(0, more=False)
    if part.what == FILES:
        return Erased(0, more=False, files=part)
    if part.what == SEARCH:
        if not erasing.rewrite_search(part):
            erasing.end(part._replace(place=1))
        return Erased(0, more=True)
    done = 0
    if part.what == INTERACTION:
        done += erasing.erase_messages(part.number, most)
        if done < most:
            done += erasing.erase_keys(part.number, most - done)
        if done < most:
            done += erasing.erase_notes(part.number, most - done)
        for erase in elsewhere:
            if done < most:
                done += erase(work, part.number, most - done)
    if done < most:
        done += erasing.clean_events(part, most - done)
    if not done:
        erasing.end(part)
    return Erased(done, more=True)


def finish_erasing(work: "Work", files: Part) -> None:
    """Note that the files were cleaned of everything that was deleted before the part `files` was made."""
    erasing = work.use(ErasingRepository)
    if erasing.end(files):
        erasing.finish(work.now)
