"""Reads conversations of the messaging bot, and writes to them."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from app.connections.bearer import BearerRemote
from app.connections.model.outbox import NOTE, NOTE_TEXT
from app.connections.model.settings import number_of
from app.interactions.remote import Hook, Listed, ListPage, Looked, Reach, Refused, Snapshot, Task, Unanswered
from app.kinds.conversation.service.mirroring import ASSIGNEE, MESSAGE, NOTES, REACTION, READ, RESTART, STATUS
from app.kinds.conversation.upstream.voicebot.shapes import (
    Conversation,
    Message,
    Note,
    User,
    digest_of_conversation,
    read_conversation,
    read_messages,
    read_notes,
)

_PAGE = 100
_MOST_PAGES = 50
_CANNOT = frozenset({"SNOOZE", "UNSNOOZE", "DELETE", "RECEIVE"})
KEEPS_NOTES = "NOTES"
"""The ability to keep notes, beside the commands. Without it, notes stay here, and those there are not read."""

_NO_NOTES = frozenset({403, 405})
_FILES = frozenset({"image", "video", "audio", "document"})


class Read(NamedTuple):
    """A conversation with its notes, and with those of its messages that may be new here, newest first."""

    conversation: Conversation
    messages: list[Message]
    notes: list[Note]


class VoicebotRemote(BearerRemote):
    """The messaging bot's inbox, through its documented operations only."""

    creating = frozenset({MESSAGE, RESTART, NOTE})
    costly = frozenset({RESTART})
    settles = timedelta(seconds=15)
    newest_first = True
    mirrored_whole = False

    def cannot_with(self, credential: str) -> frozenset[str]:
        return _CANNOT

    async def changes(self, reach: Reach, cursor: str | None, at: str | None) -> ListPage:
        return await self.list_page(reach, at)

    async def list_page(self, reach: Reach, at: str | None) -> ListPage:
        page = 1 if at is None else int(at)
        answered = await reach.ask("/conversations", per_page=_PAGE, page=page)
        items = _items(answered.value)
        meta = answered.value.get("meta")
        last = meta.get("last_page") if isinstance(meta, dict) else None
        listed = [
            Listed(str(each["id"]), digest_of_conversation(each)) for each in items if isinstance(each.get("id"), int)
        ]
        pages = last if isinstance(last, int) else page
        # An empty page is the last one, whatever it says of others.
        return ListPage(listed, str(page + 1) if listed and page < pages else None, pages)

    async def read(self, reach: Reach, key: str, known: frozenset[str]) -> Snapshot:
        answered = await reach.ask(f"/conversations/{key}")
        if answered.status == 404:
            return Snapshot(key, "", None)
        value = _data(answered.value)
        messages: list[Message] = []
        for page in range(1, _MOST_PAGES + 1):
            found, pages = await self._messages(reach, key, page)
            messages += found
            if page >= pages or any(str(each.id) in known for each in found):
                break
        conversation = read_conversation(value)
        notes = [] if conversation.latest_note is None else (await self._notes(reach, key))[0]
        return Snapshot(key, digest_of_conversation(value), Read(conversation, messages, notes))

    async def tend(self, reach: Reach, hook: Hook, *, first: bool) -> bool:
        return False

    async def send(self, reach: Reach, task: Task) -> str | None:
        path = f"/conversations/{task.key}"
        action = task.action
        if action == STATUS:
            await reach.tell("PATCH", path, {"status": str(task.value).lower().replace("_", "-")})
        elif action == ASSIGNEE:
            await reach.tell("PATCH", path, {"user_id": await self._user(reach, task.details)})
        elif action == READ:
            await reach.tell("POST", f"{path}/mark-read", {"mark_external": False})
        elif action == REACTION:
            of = f"{path}/messages/{task.details['key']}/set-reaction"
            await reach.tell("POST", of, {"reaction": task.value})
        elif action == MESSAGE:
            return _made(await reach.tell("POST", f"{path}/messages", _body(task.details)))
        elif action == RESTART:
            return _made(await reach.tell("POST", f"{path}/restart"))
        elif action in NOTES and _keeps_notes(reach):
            return await _write_note(reach, f"/conversation/{task.key}/notes", task)
        return None

    async def look(self, reach: Reach, task: Task) -> Looked:
        if task.action == NOTE:
            notes, whole = await self._notes(reach, task.key)
            return Looked([str(each.id) for each in notes if each.text == task.details["text"]], whole)
        after = int(task.value) if isinstance(task.value, str) else 0
        own: list[str] = []
        for page in range(1, _MOST_PAGES + 1):
            found, pages = await self._messages(reach, task.key, page)
            own += [str(each.id) for each in found if each.id > after and _looks_as(each, task)]
            if page >= pages or any(each.id <= after for each in found):
                whole = task.details["text"] is not None or not own
                return Looked(own[::-1], whole)
        return Looked(own[::-1], whole=False)

    async def _messages(self, reach: Reach, key: str, page: int) -> tuple[list[Message], int]:
        answered = await reach.ask(f"/conversations/{key}/messages", per_page=_PAGE, page=page)
        items = _items(answered.value)
        meta = answered.value.get("meta")
        last = meta.get("last_page") if isinstance(meta, dict) else None
        return read_messages(items), last if isinstance(last, int) else page

    async def _notes(self, reach: Reach, key: str) -> tuple[list[Note], bool]:
        """The notes of the conversation, oldest first, and whether these are all. None are read from an account whose
        notes cannot be listed."""
        found: list[Note] = []
        for page in range(1, _MOST_PAGES + 1) if _keeps_notes(reach) else ():
            try:
                # The contract has the singular here, and only here.
                answered = await reach.ask(f"/conversation/{key}/notes", per_page=_PAGE, page=page)
            except Refused as refused:
                if refused.status not in _NO_NOTES:
                    raise
                return [], False
            if answered.status == 404:
                return [], False
            found += read_notes(_items(answered.value))
            meta = answered.value.get("meta")
            last = meta.get("last_page") if isinstance(meta, dict) else None
            if not isinstance(last, int) or page >= last:
                return sorted(found, key=lambda each: each.id), True
        return sorted(found, key=lambda each: each.id), False

    async def _user(self, reach: Reach, details: Mapping[str, Any]) -> int | None:
        """The number there of the user who gets the conversation: by the settings, or with the same e-mail address.
        Raises Refused when there is none."""
        user, customer = details["user"], details["customer"]
        if user is None:
            return None
        named = number_of(reach.settings, user["login"])
        if named is not None:
            return named
        if customer is not None and user["email"] is not None:
            answered = await reach.ask(f"/customers/{customer}/users")
            for each in _items(answered.value):
                there = User.model_validate(each)
                if there.email is not None and there.email.casefold() == user["email"].casefold():
                    return there.id
        raise Refused(
            f"{user['name']} has no account in the other system: the setting `users` names none, and none has "
            "the same e-mail address."
        )


def _keeps_notes(reach: Reach) -> bool:
    given = reach.settings.get("capabilities")
    return not isinstance(given, dict) or given.get(KEEPS_NOTES) is not False


async def _write_note(reach: Reach, path: str, task: Task) -> str | None:
    """Create a note, set its text, or delete it. Returns the number of the note that was created."""
    if task.action == NOTE:
        return _made(await reach.tell("POST", path, {"text": task.details["text"]}), bare=True)
    one = f"{path}/{task.details['key']}"
    if task.action == NOTE_TEXT:
        await reach.tell("PATCH", one, {"text": task.details["text"]})
        return None
    try:
        await reach.tell("DELETE", one)
    except Refused as refused:
        if refused.status != 404:
            raise
    return None


def _looks_as(message: Message, task: Task) -> bool:
    if message.author != "agent":
        return False
    if task.action == RESTART:
        return True
    text = task.details["text"]
    return text == message.text if text is not None else message.text is None


def _body(details: Mapping[str, Any]) -> dict[str, object]:
    """The message as the operation takes it. Raises Refused for a file that the other system cannot download."""
    (content,) = details["contents"]
    kind = content["type"]
    given = {name: value for name, value in content.items() if value is not None}
    found: dict[str, object] = {"type": kind}
    if kind in _FILES:
        address = given.get("public_download_url")
        if address is None:
            raise Refused("The file has no address from which the other system could download it.")
        found["file"] = {
            "url": address,
            **{name: given[name] for name in ("mime_type", "size") if name in given},
        }
        found[kind] = {name: given[name] for name in ("caption", "filename", "voice") if name in given}
    else:
        found[kind] = {name: value for name, value in given.items() if name != "type"}
    reference = details["reference"]
    if isinstance(reference, str) and reference.isdecimal():
        found["reference_id"] = int(reference)
    return found


def _made(answered: Any, *, bare: bool = False) -> str:
    """The number of what was created. The answer about a note may be `bare`: the note itself, without `data`."""
    is_bare = bare and isinstance(answered.value, dict) and "data" not in answered.value
    value = answered.value if is_bare else _data(answered.value)
    if not isinstance(value.get("id"), int):
        raise Unanswered("The other system does not say what it made.", arrived=True)
    return str(value["id"])


def _data(value: Any) -> Mapping[str, Any]:
    found = value.get("data") if isinstance(value, dict) else None
    if not isinstance(found, dict):
        raise Unanswered("The other system answered what is not understood.", arrived=True)
    return found


def _items(value: Any) -> list[Any]:
    found = value.get("data") if isinstance(value, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Unanswered("The other system answered a list that is not understood.", arrived=True)
    return found
