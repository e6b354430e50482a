"""Transfers, pick-ups and resets; contract no-ops return the unchanged chat."""

from collections.abc import Callable
from typing import Any

from app.core.actor import Actor
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.ids import GlobalId
from app.kinds.chat_session.model.session import ChatSession
from app.kinds.chat_session.rest.answers import SELECT
from app.kinds.chat_session.rest.sessions import NULL, OF_CHAT, THE_CHAT_NOW, changed, key, on_chat
from app.kinds.chat_session.rest.shapes import ChatSessionEntity
from app.kinds.chat_session.service import queue, transfers
from app.rest import About, Answer, Call, Operation, Reply, in_path
from app.storage.work import Work


async def transfer(call: Call) -> Reply:
    """The chat of the path, offered to the user of the path. Raises what `transferred` raises."""
    return Reply(body=await transferred(call, key(call), call.path["toAssociate"]))


async def accept(call: Call) -> Reply:
    """The chat of the path, taken over if it was offered to the caller. Raises NotFound, Forbidden."""
    return Reply(body=await accepted(call, key(call)))


async def reject(call: Call) -> Reply:
    """The chat of the path, left with its holder. Raises NotFound, Forbidden."""
    return Reply(body=await rejected(call, key(call)))


async def pick_up(call: Call) -> Reply:
    """The chat of the path, now the caller's; null when it does not wait. Raises NotFound, Forbidden."""
    return Reply(body=await picked_up(call, key(call)))


async def pick_up_first(call: Call) -> Reply:
    """The chat that waited longest, now the caller's; null when none waits. Raises Forbidden."""
    return Reply(body=await first_picked_up(call))


async def reset(call: Call) -> Reply:
    """The chat of the path, back in its queue. Raises what `was_reset` raises."""
    return Reply(body=await was_reset(call, key(call)))


async def transferred(call: Call, number: int, to_associate: str) -> Any:
    """The chat, offered to the user with this login or number; as it was, if it is not the caller's to offer.

    Raises NotFound, Forbidden without the permission, and what is wrong with the user."""
    await _if_possible(call, number, _transfer, to_associate)
    return await changed(call, number)


async def accepted(call: Call, number: int) -> Any:
    """The chat, taken over; as it was, if it is not offered to the caller. Raises NotFound, Forbidden."""
    await _if_possible(call, number, transfers.accept_chat_transfer)
    return await changed(call, number)


async def rejected(call: Call, number: int) -> Any:
    """The chat, not taken over; as it was, if it is not offered to the caller. Raises NotFound, Forbidden."""
    await _if_possible(call, number, transfers.reject_chat_transfer)
    return await changed(call, number)


async def picked_up(call: Call, number: int) -> Any:
    """The chat, now the caller's; null when it does not wait in the queue. Raises NotFound, Forbidden."""
    try:
        await call.perform(on_chat, number, queue.pick_up_chat_session)
    except Conflict:
        return NULL
    return await changed(call, number)


async def first_picked_up(call: Call) -> Any:
    """The chat that waited first, now the caller's; null when none does. Raises Forbidden."""
    found = await call.perform(queue.pick_up_chat_session)
    return NULL if found is None else await changed(call, found.chat_session_id)


async def was_reset(call: Call, number: int) -> Any:
    """The chat, back in its queue. Raises NotFound, Forbidden, Conflict for one that ended or that somebody has."""
    await call.perform(on_chat, number, queue.reset_chat_session)
    return await changed(call, number)


async def _if_possible(call: Call, number: int, service: Callable[..., Any], *args: Any) -> None:
    try:
        await call.perform(on_chat, number, service, *args)
    except (Conflict, Forbidden) as refused:
        # A path names what of the request is at fault: that the client is told.
        if refused.path or (isinstance(refused, Forbidden) and refused.lacks_permission):
            raise


def _transfer(work: Work, actor: Actor, ref: GlobalId, to_associate: str) -> ChatSession:
    to_user = transfers.find_associate(work, to_associate)
    if to_user is None:
        raise NotFound(f"Associate {to_associate[:80]} not found")
    return transfers.transfer_chat_session(work, actor, ref, to_user)


_CHAT = "/api/v1/ChatSession/{id}"

MAYBE = Answer(200, "The chat, or null.", ChatSessionEntity | None)

HANDING = (
    Operation(
        "POST",
        f"{_CHAT}/TransferTo/{{toAssociate}}",
        transfer,
        About(
            "transferChatSession",
            "The chat, offered to the user if it is the caller's.",
            parameters=(*OF_CHAT, in_path("toAssociate", "The login or number of a user.")),
            answer=THE_CHAT_NOW,
            refuses=(404, 409),
        ),
    ),
    Operation(
        "POST",
        f"{_CHAT}/AcceptTransfer",
        accept,
        About(
            "acceptTransfer",
            "The chat, taken over if it was offered to the caller.",
            parameters=OF_CHAT,
            answer=THE_CHAT_NOW,
            refuses=(404,),
        ),
    ),
    Operation(
        "POST",
        f"{_CHAT}/RejectTransfer",
        reject,
        About(
            "rejectTransfer",
            "The chat, left with who has it.",
            parameters=OF_CHAT,
            answer=THE_CHAT_NOW,
            refuses=(404,),
        ),
    ),
    Operation(
        "POST",
        f"{_CHAT}/Pickup",
        pick_up,
        About(
            "pickUpChatSession",
            "The chat, now the caller's; null when it does not wait.",
            parameters=OF_CHAT,
            answer=MAYBE,
            refuses=(404,),
        ),
    ),
    Operation(
        "POST",
        "/api/v1/ChatSession/Pickup",
        pick_up_first,
        About(
            "pickUpFirstChatSession",
            "The chat that waited first, now the caller's; null when none does.",
            parameters=(SELECT,),
            answer=MAYBE,
        ),
    ),
    Operation(
        "POST",
        f"{_CHAT}/Reset",
        reset,
        About(
            "resetChatSession",
            "The chat, back in its queue.",
            parameters=OF_CHAT,
            answer=THE_CHAT_NOW,
            refuses=(404, 409),
        ),
    ),
)
