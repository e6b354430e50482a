"""Does in SuperOffice what was done here."""

from collections.abc import Mapping
from typing import Any

from app.connections.model.settings import number_of
from app.interactions.remote import Looked, Reach, Refused, Task, Unanswered
from app.kinds.chat_session.model.session import ACTIVE, ChatMessageSpecialType, ChatMessageType, ChatSessionStatus
from app.kinds.chat_session.service import mirroring
from app.kinds.chat_session.upstream.superoffice.capabilities import is_able
from app.kinds.chat_session.upstream.superoffice.client import CHATS, messages_after
from app.kinds.chat_session.upstream.superoffice.shapes import Associate, Session, read_session, wire_of

_PATHS = {"bot_active": "ChatbotIsActive", "user_is_typing": "Flags", "transfer_to_id": "TransferTo"}
_QUEUED = (ChatSessionStatus.IN_QUEUE, ChatSessionStatus.OFFLINE_FORM)


async def send_task(reach: Reach, task: Task) -> str | None:
    """Do one thing there. Returns the number of the message that was created. Raises Unanswered and Refused."""
    path = f"{CHATS}/{task.key}"
    match task.action:
        case mirroring.MESSAGE:
            return await _message(reach, path, task.details)
        case mirroring.STATUS:
            await _status(reach, path, ChatSessionStatus(task.value), ChatSessionStatus(task.confirmed))
        case mirroring.FIELD:
            await _field(reach, path, task)
        case mirroring.RESET:
            await _reset(reach, path, task)
        case mirroring.PICK_UP:
            await _taken(reach, path, "Pickup", task.details["user"])
        case mirroring.ACCEPT:
            await _taken(reach, path, "AcceptTransfer", task.details["user"])
        case mirroring.REJECT:
            await _acting(reach, task.details["by"], personal=True).tell("POST", f"{path}/RejectTransfer")
        case mirroring.TRANSFER:
            await _transfer(reach, path, task.details)
        case mirroring.ASSIGN:
            await _assign(reach, path, task.details["user"])
        case mirroring.DELETE:
            await _delete(reach, path)
    return None


async def look_for(reach: Reach, task: Task) -> Looked:
    """The messages there after the newest known one, with the same words and for the customer. Their author may differ
    from the one we gave."""
    after = int(task.value) if isinstance(task.value, str) else 0
    found = await messages_after(reach, task.key, after)
    wanted = task.details["text"]
    own = [each for each in found if each.kind is ChatMessageType.TO_CUSTOMER and each.message == wanted]
    return Looked([str(each.chat_message_id) for each in own], whole=True)


async def _message(reach: Reach, path: str, details: Mapping[str, Any]) -> str:
    if details["text"] is None:
        raise Refused("The other system accepts only text.")
    body = {"Type": ChatMessageType.TO_CUSTOMER.wire, "Message": details["text"], "Author": details["author"]}
    special = details["special_type"]
    if special is not None and special != ChatMessageSpecialType.NONE:
        body |= {"SpecialType": ChatMessageSpecialType(special).wire, "SpecialParam": details["special_param"]}
    answered = await _acting(reach, details["by"]).tell("POST", f"{path}/Messages", body)
    made = answered.value.get("ChatMessageId") if isinstance(answered.value, dict) else None
    if not isinstance(made, int):
        raise Unanswered("The other system does not say what it made.", arrived=True)
    return str(made)


async def _status(reach: Reach, path: str, wanted: ChatSessionStatus, seen: ChatSessionStatus) -> None:
    """Set the status, if it is still the one that was seen here."""
    replaced = {"op": "replace", "path": "Status", "value": wanted.wire}
    if not is_able(reach.settings, "TEST_STATUS"):
        await reach.tell("PATCH", path, [replaced])
        return
    try:
        await reach.tell("PATCH", path, [_test("Status", seen.wire), replaced])
    except Refused as refused:
        if refused.status != 409:
            raise
        there = (await _chat(reach, path)).stored_status
        if there is wanted:
            return  # an earlier try has done it, but its answer was lost
        if there not in ACTIVE or seen not in ACTIVE or there is ChatSessionStatus.CUSTOMER_LAST:
            raise Refused(f"In the other system, the chat is {there.wire} now.", status=409) from None
        # One of our users has answered since. Whoever set the status knew of that.
        await reach.tell("PATCH", path, [_test("Status", there.wire), replaced])


async def _field(reach: Reach, path: str, task: Task) -> None:
    name, value, seen = task.value["name"], task.value["value"], task.confirmed["value"]
    if name == "topic_id":
        key = task.details["topic"]
        number = None if key is None else key.rpartition(":")[2]
        if number is None or not number.isdecimal():
            raise Refused("The topic does not belong to the other system.")
        await reach.tell("PATCH", path, [{"op": "replace", "path": "TopicId", "value": int(number)}])
        return
    at = _PATHS.get(name) or "".join(part.capitalize() for part in name.split("_"))
    wire = wire_of(name, value)
    tested = [_test(at, seen)] if name in ("alert_level", "bot_active", "customer_consented") else []
    try:
        await reach.tell("PATCH", path, [*tested, {"op": "replace", "path": at, "value": wire}])
    except Refused as refused:
        if refused.status != 409 or not tested:
            raise
        if (await _chat(reach, path)).fields[name] != value:
            raise


async def _reset(reach: Reach, path: str, task: Task) -> None:
    answered = await _acting(reach, task.details["by"]).tell("POST", f"{path}/Reset")
    there = read_session(answered.value)
    if there.holder is not None or there.stored_status not in _QUEUED:
        raise Refused(f"In the other system, the chat is still {there.status} and not back in its queue.")


async def _taken(reach: Reach, path: str, operation: str, user: Mapping[str, Any] | None) -> None:
    """Let the user take the chat. Afterwards the user holds it, or did already."""
    answered = await _acting(reach, user, personal=True).tell("POST", f"{path}/{operation}")
    there = await _chat(reach, path) if answered.value is None else read_session(answered.value)
    if user is None or not is_same(reach.settings, there.holder, user["login"]):
        raise Refused(f"In the other system, the chat is {there.status} and no longer waits for this user.")


async def _transfer(reach: Reach, path: str, details: Mapping[str, Any]) -> None:
    to = details["to"]
    if to is None:
        raise Refused("The user no longer exists here.")
    number = number_of(reach.settings, to["login"])
    whom = to["login"] if number is None else str(number)
    answered = await _acting(reach, details["by"], personal=True).tell("POST", f"{path}/TransferTo/{whom}")
    if not is_same(reach.settings, read_session(answered.value).offered_to, to["login"]):
        raise Refused("In the other system, this user does not handle the chat, so it was not transferred.")


async def _assign(reach: Reach, path: str, user: Mapping[str, Any] | None) -> None:
    number = None if user is None else number_of(reach.settings, user["login"])
    if number is None:
        raise Refused("The setting `users` does not name the user's number in the other system.")
    patch = [{"op": "replace", "path": "User/AssociateId", "value": number}]
    there = read_session((await reach.tell("PATCH", path, patch)).value)
    if there.holder is None or there.holder.associate_id != number:
        raise Refused("The other system did not give the chat to this user.")


async def _delete(reach: Reach, path: str) -> None:
    try:
        await reach.tell("DELETE", path)
    except Refused as refused:
        if refused.status != 404:
            raise


def is_same(settings: Mapping[str, object], there: Associate | None, login: str) -> bool:
    """Whether the associate is the user with this login, by the setting `users`, or else by the same login."""
    if there is None:
        return False
    number = number_of(settings, login)
    if number is not None:
        return there.associate_id == number
    return there.name is not None and there.name.casefold() == login.casefold()


def _acting(reach: Reach, user: Mapping[str, Any] | None, *, personal: bool = False) -> Reach:
    """The reach as the user, if it has an own credential. Raises Refused when the user needs one and has none."""
    own = None if user is None else reach.acting_as(user["login"])
    if own is None and personal:
        name = "The user" if user is None else user["name"]
        raise Refused(f"{name} has no credential of their own for the other system.")
    return reach if own is None else own


async def _chat(reach: Reach, path: str) -> Session:
    return read_session((await reach.ask(path)).found("The chat is not there any more.").value)


def _test(path: str, value: object) -> dict[str, object]:
    return {"op": "test", "path": path, "value": value}
