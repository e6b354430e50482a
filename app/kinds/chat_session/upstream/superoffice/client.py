"""Reads chats of SuperOffice."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from app.connections.shapes import digest_of
from app.interactions.remote import HINT, Listed, ListPage, Reach, Snapshot, Unanswered
from app.kinds.chat_session.model.session import ENDED, ChatSessionStatus
from app.kinds.chat_session.upstream.superoffice.capabilities import is_able
from app.kinds.chat_session.upstream.superoffice.shapes import Message, Session, read_messages, read_session

CHATS = "/v1/ChatSession"

PAGE = 1_000
"""How many rows are requested at once, and how many chat numbers one page of the whole list covers."""

_MOST_OPEN_PAGES = 20
_MOST_MESSAGE_PAGES = 100
_READ_AGAIN = 5
"""How many of the known messages are read again: only they show whether the customer has read them."""

_COLUMNS = (
    "chatSessionId,status,lastMessage,whenRequested,whenStarted,whenEnded,rating,associateId,contactId,personId,"
    "chatTopic/chatTopicId,chatTopic/name"
)
_OPEN = [
    number
    for number, status in enumerate(ChatSessionStatus)
    if status not in ENDED and status is not ChatSessionStatus.INVALID
]
_IS_OPEN = f"status oneOf ({','.join(map(str, _OPEN))})"


class Read(NamedTuple):
    """A chat, its topic's name, and those of its messages that may be new here, oldest first."""

    session: Session
    topic: str | None
    messages: list[Message]


class OpenChats:
    """Lists the active chats of each connection, and remembers them until the next time."""

    def __init__(self) -> None:
        self._keys: WeakKeyDictionary[Reach, frozenset[str]] = WeakKeyDictionary()

    async def changes(self, reach: Reach) -> list[Listed]:
        """All active chats, and those that were active the last time: their list does not say what they are now. If
        they cannot be requested, the newest chats."""
        if not is_able(reach.settings, "FILTER_STATUS"):
            return await _newest(reach)
        found, below = list[Listed](), ""
        for _ in range(_MOST_OPEN_PAGES):
            rows = await _rows(reach, _IS_OPEN + below)
            found += map(_listed, rows)
            if len(rows) < PAGE:
                break
            below = f" and chatSessionId lt {_number(rows[-1])}"
        else:
            # Of what the list did not show, nothing can be said.
            return found
        before, keys = self._keys.get(reach, frozenset()), frozenset(each.key for each in found)
        self._keys[reach] = keys
        return [*found, *(Listed(key, f"{HINT}left") for key in sorted(before - keys))]


async def all_chats(reach: Reach, page: int) -> ListPage:
    """A page of all chats by ranges of their numbers, highest first. Pages do not move when chats are added."""
    top = await _highest(reach)
    pages = max(-(-top // PAGE), 1)
    high = (pages - page + 1) * PAGE
    rows = await _rows(reach, f"chatSessionId gt {high - PAGE} and chatSessionId lt {high + 1}")
    return ListPage([_listed(each) for each in rows], str(page + 1) if page < pages else None, pages)


async def read_chat(reach: Reach, key: str, known: frozenset[str]) -> Snapshot:
    """The chat. Its value is None when it certainly does not exist."""
    rows = await _rows(reach, f"chatSessionId eq {key}")
    answered = await reach.ask(f"{CHATS}/{key}")
    if answered.status == 404:
        if rows:
            raise Unanswered("The other system lists a chat that it does not give.", arrived=True)
        return Snapshot(key, "", None)
    row = rows[0] if rows else None
    session = read_session(answered.value)
    name = None if row is None else row.get("chatTopic/name")
    messages = await messages_after(reach, key, _after(known))
    topic = name if isinstance(name, str) and name.strip() else None
    return Snapshot(key, "" if row is None else _digest(row), Read(session, topic, messages))


async def messages_after(reach: Reach, key: str, after: int) -> list[Message]:
    """The chat's messages with higher numbers, oldest first."""
    found: list[Message] = []
    for _ in range(_MOST_MESSAGE_PAGES):
        answered = await reach.ask(f"{CHATS}/{key}/Messages", after=after)
        if answered.status == 404:
            break
        if not isinstance(answered.value, list):
            raise Unanswered("The other system answered a list that is not understood.", arrived=True)
        messages = read_messages(answered.value)
        found += messages
        if len(messages) < PAGE:
            break
        after = messages[-1].chat_message_id
    return found


def _after(known: frozenset[str]) -> int:
    numbers = sorted(int(key) for key in known if key.isdecimal())
    return numbers[-min(_READ_AGAIN, len(numbers))] - 1 if numbers else 0


async def _newest(reach: Reach) -> list[Listed]:
    top = await _highest(reach)
    return [_listed(each) for each in await _rows(reach, f"chatSessionId gt {max(top - PAGE, 0)}")]


async def _highest(reach: Reach) -> int:
    rows = await _rows(reach, "chatSessionId gt 0", top=1, columns="chatSessionId")
    return _number(rows[0]) if rows else 0


async def _rows(
    reach: Reach, condition: str, *, top: int = PAGE, columns: str = _COLUMNS
) -> Sequence[Mapping[str, Any]]:
    """Rows of the archive, highest numbers first."""
    query: dict[str, str | int] = {
        "$select": columns,
        "$filter": condition,
        "$orderBy": "chatSessionId desc",
        "$top": top,
    }
    answered = (await reach.ask(CHATS, **query)).found(
        "The other system has no list of chats: the address may be wrong."
    )
    rows = answered.value.get("value") if isinstance(answered.value, dict) else None
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise Unanswered("The other system answered a list that is not understood.", arrived=True)
    return rows


def _listed(row: Mapping[str, Any]) -> Listed:
    return Listed(str(_number(row)), _digest(row))


def _number(row: Mapping[str, Any]) -> int:
    given = row.get("chatSessionId", row.get("PrimaryKey"))
    if isinstance(given, str) and given.isdecimal():
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool):
        raise Unanswered("The other system lists a chat without a number.", arrived=True)
    return given


def _digest(row: Mapping[str, Any]) -> str:
    """A digest of the requested columns. The other columns change by themselves."""
    said = {name: row.get(name) for name in _COLUMNS.split(",")}
    return digest_of(said)
