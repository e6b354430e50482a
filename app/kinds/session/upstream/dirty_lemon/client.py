"""Reads sessions of the messaging bot's customers, and writes to them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from app.connections.bearer import BearerRemote
from app.connections.recalled import Recalled
from app.connections.shapes import digest_of
from app.interactions.messages import MessageAuthor
from app.interactions.remote import Hook, Listed, ListPage, Looked, Reach, Refused, Snapshot, Task, Unanswered
from app.kinds.session.service.mirroring import FLAG, MESSAGE, SUGGESTIONS
from app.kinds.session.upstream.dirty_lemon import shapes

CURRENT_LASTS = timedelta(hours=2)
"""How long after its latest message a session can still be written to."""

_PAGE = 100
_MOST_PAGES = 20
_AT_ONCE = 10
_CUSTOMER_LASTS = timedelta(minutes=10)
_NOBODY = "+10000000000"
_CANNOT = frozenset({"RECEIVE"})
_OVER = "The session has ended in the other system, which no longer accepts messages for it."
_ROLES = {MessageAuthor.USER: "agent", MessageAuthor.BOT: "bot", MessageAuthor.AI_AGENT: "bot"}


class Read(NamedTuple):
    """A session, its customer, and the key of the customer's newest session."""

    session: shapes.Session
    customer: shapes.Customer
    newest: str


class DirtyLemonRemote(BearerRemote):
    """The messaging bot's sessions, through its documented operations only."""

    creating = frozenset({MESSAGE})
    costly: frozenset[str] = frozenset()
    settles = timedelta(seconds=15)
    newest_first = True
    mirrored_whole = False

    def __init__(self) -> None:
        self._customers: Recalled[shapes.Customer] = Recalled(_CUSTOMER_LASTS)

    def cannot_with(self, credential: str) -> frozenset[str]:
        return _CANNOT

    # ---- reading -----------------------------------------------------------------------------------------------------

    async def changes(self, reach: Reach, cursor: str | None, at: str | None) -> ListPage:
        """The newest sessions of the next few customers that the settings name."""
        named, begin = _named(reach), 0 if cursor is None else int(cursor)
        if not named:
            # Nobody has this number: the request shows that the bot is reachable and accepts the token.
            (await reach.ask("/v1/customers", phone_number=_NOBODY)).found()
        some = [named[(begin + each) % len(named)] for each in range(min(_AT_ONCE, len(named)))]
        items = [found for each in some for found in await self._sessions(reach, each, 1, 0)]
        return ListPage(items, cursor=str((begin + len(some)) % max(len(named), 1)))

    async def list_page(self, reach: Reach, at: str | None) -> ListPage:
        """A page of the sessions of one of the customers that the settings name, one customer after the other."""
        named = _named(reach)
        place, offset = (0, 0) if at is None else map(int, at.split("/"))
        if place >= len(named):
            return ListPage([])
        items = await self._sessions(reach, named[place], _PAGE, offset)
        if len(items) == _PAGE:
            return ListPage(items, f"{place}/{offset + _PAGE}")
        return ListPage(items, f"{place + 1}/0" if place + 1 < len(named) else None)

    async def read(self, reach: Reach, key: str, known: frozenset[str]) -> Snapshot:
        customer, number = key.split("/")
        path = f"/v1/customers/{customer}/sessions"
        (value, *_) = await self._listed(reach, customer, 1, 0) or (None,)
        newest = key if value is None else shapes.key_of(shapes.read_session(value))
        if newest != key or value is None:
            answered = await reach.ask(f"{path}/{number}")
            if answered.status == 404:
                return Snapshot(key, "", None)
            value = answered.value
        session = shapes.read_session(value)
        if session.messages is None:
            session = session.model_copy(update={"messages": await self._messages(reach, f"{path}/{number}", None)})
        return Snapshot(key, digest_of(value), Read(session, await self._customer(reach, customer), newest))

    # ---- writing -----------------------------------------------------------------------------------------------------

    async def tend(self, reach: Reach, hook: Hook, *, first: bool) -> bool:
        return False

    async def send(self, reach: Reach, task: Task) -> str | None:
        customer, number = task.key.split("/")
        path = f"/v1/customers/{customer}/sessions/current"
        # A write goes to whichever session is current: a late write would begin or change another one.
        if await self._current(reach, path) != number:
            if task.action == FLAG:
                # Once a session is over there, only we decide whether it needs a human.
                return None
            raise Refused(_OVER)
        if task.action == MESSAGE:
            made = await reach.tell("POST", f"{path}/messages", _body(task))
            return shapes.read_message(made.value).id
        name = task.action.lower()
        value = task.value
        if task.action == SUGGESTIONS:
            value = [_given({**each, "content_type": "text"}) for each in task.value]
        await reach.tell("PATCH", path, {name: value})
        return None

    async def look(self, reach: Reach, task: Task) -> Looked:
        customer, number = task.key.split("/")
        body, sent_at = _body(task), task.details["sent_at"]
        found = await self._messages(reach, f"/v1/customers/{customer}/sessions/{number}", sent_at)
        own = [
            each.id
            for each in found
            if (each.sender_role, each.content, shapes.written(each.sent_at))
            == (body["sender_role"], body["content"], body["sent_at"])
        ]
        return Looked(own, whole=True)

    # ---- parts -----------------------------------------------------------------------------------------------------

    async def _current(self, reach: Reach, path: str) -> str | None:
        """The id of the current session; None without one. Raises Refused and Unanswered: nothing was written yet."""
        try:
            answered = await reach.ask(path)
            return None if answered.status == 404 else shapes.read_session(answered.value).id
        except Unanswered as silent:
            raise Unanswered(silent.reason, arrived=False, wait=silent.wait) from None

    async def _sessions(self, reach: Reach, customer: str, limit: int, offset: int) -> list[Listed]:
        found = await self._listed(reach, customer, limit, offset)
        return [Listed(shapes.key_of(shapes.read_session(each)), digest_of(each)) for each in found]

    async def _listed(self, reach: Reach, customer: str, limit: int, offset: int) -> list[dict[str, Any]]:
        """The customer's sessions, newest first; empty for an unknown customer."""
        answered = await reach.ask(f"/v1/customers/{customer}/sessions", limit=limit, offset=offset)
        return [] if answered.status == 404 else shapes.read_list(answered.value)

    async def _messages(self, reach: Reach, path: str, since: datetime | None) -> list[shapes.Message]:
        """The session's messages back to that time, or all of them, oldest first."""
        found: list[shapes.Message] = []
        for page in range(_MOST_PAGES):
            answered = await reach.ask(f"{path}/messages", limit=_PAGE, offset=page * _PAGE)
            if answered.status == 404:
                break
            listed = [shapes.read_message(each) for each in shapes.read_list(answered.value)]
            found += listed
            if len(listed) < _PAGE or (since is not None and min(each.sent_at for each in listed) < since):
                break
        else:
            raise Unanswered(f"The session has more than {_MOST_PAGES * _PAGE:,} messages.", arrived=True)
        return sorted(found, key=lambda each: each.sent_at)

    async def _customer(self, reach: Reach, key: str) -> shapes.Customer:

        async def read() -> shapes.Customer:
            answered = await reach.ask(f"/v1/customers/{key}")
            return shapes.read_customer({"id": key} if answered.status == 404 else answered.value)

        return await self._customers.get(reach, key, read)


def _body(task: Task) -> dict[str, str]:
    """The message as the operation takes it. Raises Refused for a message that is not text."""
    (content,) = task.details["contents"]
    if content["type"] != "text":
        raise Refused("The other system accepts only text.")
    return {
        "content": content["content"],
        "content_type": "text",
        "sender_role": _ROLES[task.details["author"]],
        "sent_at": shapes.written(task.details["sent_at"]),
    }


def _given(value: Mapping[str, object]) -> dict[str, object]:
    return {name: each for name, each in value.items() if each is not None}


def _named(reach: Reach) -> list[str]:
    given = reach.settings.get("customers")
    return [str(each) for each in given] if isinstance(given, list) else []
