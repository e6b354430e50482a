"""The messages of chats, and their transcripts."""

from collections.abc import Mapping
from html import escape
from typing import Any

from app.core.actor import Actor
from app.core.ids import GlobalId
from app.core.numbers import LARGEST_INT
from app.interactions.messages import MessageAuthor
from app.interactions.service.messages import Posted, receive_message, send_message
from app.kinds.chat_session.model.limits import check_text
from app.kinds.chat_session.model.session import ChatMessageSpecialType, ChatMessageType
from app.kinds.chat_session.rest.answers import FORM, body_of, selected, taken, wire_of
from app.kinds.chat_session.rest.bodies import LONGEST_PARAM, ChatMessageInput
from app.kinds.chat_session.rest.reading import MESSAGE, MESSAGES
from app.kinds.chat_session.rest.sessions import NUMBER, OF_CHAT, key, missing, on_chat
from app.kinds.chat_session.rest.shapes import ChatMessage
from app.kinds.chat_session.rest.wire import author
from app.rest import About, Answer, Call, Flag, Operation, Reply, Whole
from app.storage.work import Work

PAGE = 1_000

_AFTER = Whole(
    "after",
    "The number of a message; only later ones are shown.",
    least=-LARGEST_INT - 1,
    most=LARGEST_INT,
    default=0,
)
_HTML = Flag("html", "Whether as HTML.")


async def list_messages(call: Call) -> Reply:
    """The messages of the path's chat after `after`, the oldest first, 1,000 at most. Raises NotFound, Forbidden."""
    after = _AFTER.read(call.query)
    return Reply(body=await messages_after(call, key(call), after))


async def post_message(call: Call) -> Reply:
    """The message of the body, added to the path's chat. Raises what `added` raises."""
    return Reply(body=await added(call, key(call), await body_of(call)))


async def post_transcript(call: Call) -> Reply:
    """What was said in the path's chat, as one text with a line for each message. Raises NotFound, Forbidden."""
    return Reply(body=await transcript(call, key(call), html=_HTML.read(call.query) or False))


async def messages_after(call: Call, number: int, after: int) -> list[dict[str, Any]]:
    """The chat's messages after the one with the number, the oldest first. Raises NotFound, Forbidden."""
    wire = wire_of(call)
    return await call.written(await _read(call, number, after), lambda each: selected(call, wire.message(each, number)))


async def added(call: Call, number: int, body: Mapping[str, Any]) -> dict[str, Any]:
    """The message that the body describes, written to the customer or taken in from it. Raises what that raises."""
    posted = await call.perform(on_chat, number, _post, body, call.idempotency_key)
    found = await call.read(MESSAGE, id=f"msg_{posted.message}")
    return selected(call, wire_of(call).message(found, number))


async def transcript(call: Call, number: int, *, html: bool) -> str:
    """What was said, a line for each message. Raises NotFound, Forbidden."""
    wire, lines, after = wire_of(call), list[str](), 0

    def line(each: Mapping[str, Any]) -> str:
        said = f"[{wire.time(each['sentAt'])[:19].replace('T', ' ')}] {author(each) or ''}: {each['text'] or ''}"
        return f"<p>{escape(said).replace(chr(10), '<br>')}</p>" if html else said

    while True:
        found = await _read(call, number, after)
        lines += await call.written(found, line)
        if len(found) < PAGE:
            return "\n".join(lines)
        after = found[-1]["messageId"]


async def _read(call: Call, number: int, after: int) -> list[Mapping[str, Any]]:
    found = await call.read(MESSAGES, chat_session_id=number, after=after, limit=PAGE)
    if found is None:
        raise missing(number)
    read: list[Mapping[str, Any]] = found["messages"]
    return read


def _post(work: Work, actor: Actor, ref: GlobalId, body: Mapping[str, Any], idempotency_key: str | None) -> Posted:
    """Post a message. One to the user is the customer's; what is not said to be for whom is for the customer."""
    message = ChatMessageInput.read(body)
    kind, special = message.type, message.specialtype
    fields = {
        "special_type": special.value,
        "special_param": _text(message.special_param, "special_param"),
        "author_name": _text(message.author, "author"),
    }
    content = {"type": "text", "content": message.message}
    if kind is ChatMessageType.TO_USER:
        fields["message_type"] = kind.value
        target = {"interaction": ref}
        return receive_message(work, actor, target, [content], idempotency_key=idempotency_key, fields=fields)
    by = MessageAuthor.USER
    if kind is ChatMessageType.SPECIAL:
        by = MessageAuthor.SYSTEM
    elif special in (ChatMessageSpecialType.BOT_MESSAGE, ChatMessageSpecialType.OPTIONS):
        by = MessageAuthor.BOT
    fields["message_type"] = (ChatMessageType.TO_CUSTOMER if kind is ChatMessageType.INVALID else kind).value
    return send_message(
        work, actor, ref, content, author=by, override=True, idempotency_key=idempotency_key, fields=fields
    )


def _text(given: Any, field: str) -> str | None:
    if given is None or given == "":
        return None
    check_text(field, given, LONGEST_PARAM)
    return str(given)


_CHAT = "/api/v1/ChatSession/{id}"

MESSAGE_LIST = Answer(200, "The messages.", list[ChatMessage])
NEW_MESSAGE = Answer(200, "The new message.", ChatMessage)
TRANSCRIPT = Answer(200, "The transcript.", str)

MESSAGING = (
    Operation(
        "GET",
        f"{_CHAT}/Messages",
        list_messages,
        About(
            "listChatMessages",
            f"The chat's messages, the oldest first, {PAGE:,} at most.",
            parameters=(*OF_CHAT, _AFTER),
            answer=MESSAGE_LIST,
            refuses=(404,),
        ),
    ),
    Operation(
        "POST",
        f"{_CHAT}/Messages",
        post_message,
        About(
            "addChatMessage",
            "The new message.",
            parameters=OF_CHAT,
            body=taken(ChatMessageInput, FORM),
            answer=NEW_MESSAGE,
            refuses=(404, 409),
        ),
    ),
    Operation(
        "POST",
        f"{_CHAT}/Transcript",
        post_transcript,
        About(
            "getChatTranscript",
            "What was said, a line for each message.",
            parameters=(NUMBER, _HTML),
            answer=TRANSCRIPT,
            refuses=(404,),
        ),
    ),
)
