"""Chats as whole entities: read, made, replaced, patched, deleted."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from app.core.actor import Actor
from app.core.errors import InvalidInput, NotFound, VersionConflict
from app.core.ids import GlobalId
from app.core.numbers import LARGEST_INT
from app.interactions.service.change import load
from app.kinds.chat_session.model.session import ChatSession, ChatSessionChanges
from app.kinds.chat_session.rest.answers import FORM, SELECT, TYPES, body_of, selected, taken, wire_of
from app.kinds.chat_session.rest.bodies import ChatSessionInput
from app.kinds.chat_session.rest.patches import patched
from app.kinds.chat_session.rest.reading import CHAT, MINE
from app.kinds.chat_session.rest.shapes import ChatSessionEntity, Patch
from app.kinds.chat_session.rest.wire import blank
from app.kinds.chat_session.service.creating import create_chat
from app.kinds.chat_session.service.sessions import delete_chat_session, find_chat, update_chat_session
from app.rest import About, Answer, Call, Operation, Reply, Text, Whole
from app.rest.describing import Sent
from app.rest.errors import BadRequest
from app.storage.work import Work

_ATTEMPTS = 3
NULL = b"null"


async def get_chat(call: Call) -> Reply:
    """The chat of the path, with its links. Raises NotFound, Forbidden."""
    return Reply(body=await entity(call, key(call), links=True))


async def list_mine(call: Call) -> Reply:
    """The chats that are not over in the caller's topics."""
    found, wire = await call.read(MINE), wire_of(call)
    return Reply(body=await call.written(found["chats"], lambda each: selected(call, wire.entity(each))))


async def get_default(call: Call) -> Reply:
    """A chat that is not stored, with the defaults of a new one."""
    return Reply(body=selected(call, blank(call.actor)))


async def post_chat(call: Call) -> Reply:
    """The new chat, with its session key and links. Raises what `created` raises."""
    return Reply(body=await created(call, await body_of(call), links=True))


async def put_chat(call: Call) -> Reply:
    """The chat with all its writable fields from the body; null when the caller does not see it afterwards.

    Raises NotFound, and what `update_chat_session` raises."""
    number = key(call)
    changes = ChatSessionInput.read(await body_of(call)).changes(whole=True)
    await call.perform(on_chat, number, update_chat_session, changes)
    return Reply(body=await changed(call, number, links=True))


async def patch_chat(call: Call) -> Reply:
    """The chat with the patch applied; null when the caller does not see it afterwards.

    The patch is made again when the chat changed meanwhile, three times in all. Raises NotFound, BadRequest (412) for a
    chat that has changed since `If-Unmodified-Since`, VersionConflict, and what patching and updating raise."""
    number = key(call)
    patch = await call.json(*TYPES)
    unmodified_since = _unmodified_since(call)
    for attempt in range(_ATTEMPTS):
        found = await read(call, number)
        seen = datetime.fromisoformat(found["updatedAt"]).replace(tzinfo=UTC)
        if unmodified_since is not None and seen.replace(microsecond=0) > unmodified_since:
            raise BadRequest(412, "The chat session has changed since then.")
        touched = patched(wire_of(call).entity(found), patch)
        try:
            changes = ChatSessionInput.read(touched).changes(whole=False)
            await call.perform(on_chat, number, _update_unchanged, seen, changes)
        except VersionConflict:
            # What was patched is not what is there any more.
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            break
    return Reply(body=await changed(call, number, links=True))


async def delete_chat(call: Call) -> Reply:
    """204; the chat is marked as deleted. Raises NotFound, Forbidden."""
    await call.perform(on_chat, key(call), delete_chat_session)
    return Reply(status=204)


async def created(call: Call, body: Mapping[str, Any], *, links: bool = False) -> dict[str, Any]:
    """A new chat as the body describes it; its session key is shown this once. Raises what making it raises."""
    changes = ChatSessionInput.read(body).changes(whole=False)
    made = await call.perform(create_chat, changes, call.idempotency_key)
    found = wire_of(call).entity(await read(call, made.chat_session_id), links=links)
    if made.session_key is not None:
        found["SessionKey"] = made.session_key
    return selected(call, found)


async def read(call: Call, number: int) -> Mapping[str, Any]:
    """What the contract shows of a chat. Raises NotFound, Forbidden."""
    found: Mapping[str, Any] | None = await call.read(CHAT, chat_session_id=number)
    if found is None:
        raise missing(number)
    return found


async def entity(call: Call, number: int, *, links: bool = False) -> dict[str, Any]:
    """The chat as the request wants it written. Raises NotFound, Forbidden."""
    return selected(call, wire_of(call).entity(await read(call, number), links=links))


async def changed(call: Call, number: int, *, links: bool = False) -> Any:
    """The same after a change of the caller's; null when it has left the caller's sight by that."""
    found = await call.read(CHAT, chat_session_id=number)
    return NULL if found is None else selected(call, wire_of(call).entity(found, links=links))


def key(call: Call) -> int:
    """The contract's number of the chat that the path names. Raises NotFound for what is no number."""
    given = call.path["id"]
    if given.isascii() and given.isdigit() and len(given) <= 10 and int(given) <= LARGEST_INT:
        return int(given)
    raise NotFound(f"ChatSession id {given[:80]} not found")


def missing(number: int) -> NotFound:
    """The answer for a chat that is not there."""
    return NotFound(f"ChatSession id {number} not found")


def on_chat(work: Work, actor: Actor, number: int, service: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run a service on the chat with the contract's number. Raises NotFound."""
    found = find_chat(work, actor, number)
    if found is None:
        raise missing(number)
    return service(work, actor, found, *args, **kwargs)


def _update_unchanged(
    work: Work, actor: Actor, ref: GlobalId, seen: datetime, changes: ChatSessionChanges
) -> ChatSession:
    """Update the chat if it is still the one that was seen. Raises VersionConflict."""
    before: ChatSession = load(work, actor, ref)
    if before.updated_at != seen:
        raise VersionConflict("The chat session keeps changing.", current_version=before.version)
    return update_chat_session(work, actor, ref, changes)


def _unmodified_since(call: Call) -> datetime | None:
    given = call.headers.get(b"if-unmodified-since")
    if given is None:
        return None
    try:
        found = parsedate_to_datetime(given.decode("latin-1"))
    except (ValueError, OverflowError):
        raise InvalidInput("If-Unmodified-Since takes a date of HTTP.") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


_CHAT = "/api/v1/ChatSession/{id}"

_IF_UNMODIFIED_SINCE = Text(
    "If-Unmodified-Since", "The patch is refused when the chat has changed since.", place="header"
)
NUMBER = Whole("id", "The number of the chat.", place="path", required=True, least=0, most=LARGEST_INT)
OF_CHAT = (NUMBER, SELECT)
_PATCHED = Sent({**dict.fromkeys(TYPES[:2], Patch | ChatSessionInput), TYPES[2]: Patch, TYPES[3]: ChatSessionInput})


def the_chat(what: str) -> Answer:
    """An answer that is a chat."""
    return Answer(200, what, ChatSessionEntity)


THE_CHAT_NOW = Answer(200, "The chat as it is now; null for who sees it no more.", ChatSessionEntity | None)
"""An answer that is a chat which the caller has changed."""


SESSIONS = (
    Operation(
        "POST",
        "/api/v1/ChatSession",
        post_chat,
        About(
            "createChatSession",
            "The new chat, with its session key this once.",
            parameters=(SELECT,),
            body=taken(ChatSessionInput, FORM),
            answer=the_chat("The new chat."),
            refuses=(404, 409),
        ),
    ),
    Operation(
        "GET",
        "/api/v1/ChatSession/default",
        get_default,
        About("getDefaultChatSession", "A blank chat.", parameters=(SELECT,), answer=the_chat("A blank chat.")),
    ),
    Operation(
        "GET",
        "/api/v1/ChatSession/ForCurrentUser",
        list_mine,
        About(
            "listOwnChatSessions",
            "The chats that go on in the topics of the caller.",
            parameters=(SELECT,),
            answer=Answer(200, "The chats.", list[ChatSessionEntity]),
        ),
    ),
    Operation(
        "GET",
        _CHAT,
        get_chat,
        About("getChatSession", "The chat.", parameters=OF_CHAT, answer=the_chat("The chat."), refuses=(404,)),
    ),
    Operation(
        "PUT",
        _CHAT,
        put_chat,
        About(
            "replaceChatSession",
            "The chat with its writable fields replaced.",
            parameters=OF_CHAT,
            body=taken(ChatSessionInput, FORM),
            answer=THE_CHAT_NOW,
            refuses=(404, 409),
        ),
    ),
    Operation(
        "PATCH",
        _CHAT,
        patch_chat,
        About(
            "patchChatSession",
            "The chat with some fields changed.",
            parameters=(*OF_CHAT, _IF_UNMODIFIED_SINCE),
            body=_PATCHED,
            answer=THE_CHAT_NOW,
            refuses=(404, 409, 412),
        ),
    ),
    Operation(
        "DELETE",
        _CHAT,
        delete_chat,
        About(
            "deleteChatSession",
            "The chat is marked as deleted; it is erased a day later.",
            parameters=(NUMBER,),
            answer=Answer(204, "It is marked."),
            refuses=(404, 409),
        ),
    ),
)
