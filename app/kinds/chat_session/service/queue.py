"""Takes chats out of the queue, and sends them back."""

from dataclasses import replace
from typing import TYPE_CHECKING

from app.core.actor import Actor
from app.core.errors import InvalidTransition, NotFound
from app.core.ids import GlobalId
from app.interactions.model import Command
from app.interactions.service.change import begin, write
from app.kinds.chat_session.events import PickedUp, Reset
from app.kinds.chat_session.model.commands import ChatCommand
from app.kinds.chat_session.model.session import KIND, PREFIX, QUEUES, ChatSession
from app.kinds.chat_session.model.transitions import handed_off
from app.kinds.chat_session.repository import ChatSessionRepository, ChatTopicRepository
from app.kinds.chat_session.service.notices import started, with_rank
from app.storage.idempotency import once

if TYPE_CHECKING:
    from app.storage.work import Work


def pick_up_chat_session(
    work: "Work",
    actor: Actor,
    ref: GlobalId | None = None,
    *,
    topic_id: int | None = None,
    if_version: int | None = None,
    idempotency_key: str | None = None,
) -> ChatSession | None:
    """Take a chat that asked for a human: the named one, or the first that waits, of one topic (by the contract's
    number) or of all. A queued chat comes before one that nobody was there for.

    Returns None when no chat waits that the actor may respond to. Of many callers at once, each gets another chat.
    Raises AlreadyClaimed, InvalidTransition for a chat that is not queued, Forbidden for a user who may not respond in
    its topic, NotFound, VersionConflict, KeyReused."""
    picked: list[ChatSession] = []

    def pick() -> int | None:
        chosen = ref or _first(work, actor, topic_id)
        if chosen is None:
            return None
        picked.append(_taken(work, actor, chosen, if_version))
        return chosen.number

    request = ["pickUpChatSession", None if ref is None else str(ref), topic_id, if_version]
    number = once(work, actor, idempotency_key, request, pick)
    if picked or number is None:
        return picked[0] if picked else None
    return work.use(ChatSessionRepository).load(number)


def _taken(work: "Work", actor: Actor, ref: GlobalId, if_version: int | None) -> ChatSession:
    before: ChatSession = begin(work, actor, ref, Command.CLAIM, if_version=if_version)
    if before.status not in QUEUES:
        raise InvalidTransition(f"The chat is {before.status}, so it cannot be picked up from the queue.")
    after = started(work, actor, replace(before, claimed_until=None), actor.user_id)
    return write(work, actor, before, after, Command.CLAIM, PickedUp())


def _first(work: "Work", actor: Actor, topic_id: int | None) -> GlobalId | None:
    actor.require_writing(KIND)
    topic = None
    if topic_id is not None:
        found = work.use(ChatTopicRepository).get_by_key(topic_id)
        if found is None:
            raise NotFound(f"There is no chat topic {topic_id}.", path=("topic_id",))
        topic = found.id
    user, teams = None if actor.is_admin else actor.user_id, actor.teams_to_take_of(KIND)
    first = work.use(ChatSessionRepository).first_of_queue(topic, user, teams)
    return None if first is None else GlobalId(PREFIX, first)


def reset_chat_session(work: "Work", actor: Actor, ref: GlobalId, *, if_version: int | None = None) -> ChatSession:
    """Hand the chat to the humans of its topic: it is queued, or gets the offline form when none of them is present. A
    chat of another system is queued until that system says otherwise, because who is present there is not known here.

    Raises AlreadyClaimed when another user holds it and the actor is no admin, InvalidTransition for an ended chat, and
    the errors of `begin`."""
    before: ChatSession = begin(work, actor, ref, ChatCommand.RESET, if_version=if_version)
    present = work.use(ChatSessionRepository).present_for(before.topic_id)
    after = with_rank(work, handed_off(before, present is not None or before.cannot is not None))
    return write(work, actor, before, after, ChatCommand.RESET, Reset())
