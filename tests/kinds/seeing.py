"""What every operation of the contracts does with an interaction, and interactions on which it is tried."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import httpx2

from app.core.actor import Actor
from tests.graph.running import mutation_text
from tests.kinds.conftest import ADA, KINDS

Names = Mapping[str, Any]
"""What a path's parameters and a body's values are called for one interaction; `kind`, `ref` and `said` besides."""

Client = httpx2.AsyncClient
"""An admin's, for what is stored."""

SIDES: tuple[tuple[int, int | None], ...] = ((1, None), (2, None), (0, None), (2, 2), (1, 1))
"""Of each kind an interaction of this team (0: of none), assigned to this user."""


def _narrowed(name: str, *parts: str) -> Actor:
    permissions = frozenset({f"{kind}:{part}" for kind in KINDS for part in parts} | {"directory:read"})
    return Actor(2, name, permissions=permissions, teams=frozenset({1}))


PEOPLE = (
    _narrowed("team", "read:team", "write:own", "claim"),
    _narrowed("own", "read:own", "write:own"),
    _narrowed("taker", "read:own", "write:own", "claim"),
    _narrowed("all", "read", "write:team"),
)
"""User 2 with narrowed keys."""

BLIND = _narrowed("blind", "write")
EVERYBODY = {actor.name.lower(): actor for actor in (ADA, *PEOPLE, BLIND)}


class Does(Enum):
    """What an operation has to do with interactions."""

    READ = auto()
    """It shows one, or a part of one."""
    WRITE = auto()
    """It changes one."""
    LIST = auto()
    """It lists those that are seen."""
    OPEN = auto()
    """It opens one of no team."""
    TAKE = auto()
    """It takes one that is free."""
    ACCOUNT = auto()
    """It shows what belongs to a kind beside its interactions."""
    MANAGE = auto()
    """It changes that."""
    NONE = auto()
    """It is about the directory, or gives out tokens."""


@dataclass(frozen=True)
class Row:
    """How an operation is tried: its body and its query for an interaction, what of its answer names interactions (by
    their `key`), whether one that is not seen is answered with null, and whether its path names an account."""

    does: Does
    body: Callable[[Names], Any] | None = None
    query: Callable[[Names], Mapping[str, Any]] | None = None
    named: Callable[[Any], Iterator[Any]] | None = None
    key: str = ""
    null: bool = False
    account: bool = False


def _of_chat(**more: Any) -> Callable[[Names], Any]:
    return lambda names: {"chatSessionId": names["id"], **more}


READ, WRITE = Row(Does.READ), Row(Does.WRITE)
ACCOUNT, NONE = Row(Does.ACCOUNT), Row(Does.NONE)
MANAGE = Row(Does.MANAGE, body=lambda _names: {"name": "x"})
_SESSIONS, _AGENTS = "/v1/customers/{customer_id}/sessions", "/v2/agents/{agent_key}/sessions"
_EVENT = f"{_AGENTS}/{{session_key}}/events/{{event_id}}"
_CHAT, _CALL = "/api/v1/ChatSession", "/api/v1/Agents/Chat"
_CONVERSATIONS = "/third-party/v1/conversations"
_TAGS = Row(Does.WRITE, body=lambda _names: {"tags": ["a"]})
_PATCHED = Row(Does.WRITE, body=lambda _names: {"customerName": "x"})
_NOTES = {
    f"{method} /third-party/v1/{base}/{{id}}/notes{one}": row
    for base in ("conversation", "conversations")
    for method, one, row in (
        ("GET", "", READ),
        ("POST", "", Row(Does.WRITE, body=lambda _names: {"text": "x"})),
        ("GET", "/{note_id}", READ),
        ("PATCH", "/{note_id}", Row(Does.WRITE, body=lambda _names: {"text": "x"})),
        ("DELETE", "/{note_id}", WRITE),
    )
}
_MINE = Row(Does.LIST, named=lambda found: (each["ChatSessionId"] for each in found), key="id")

ROWS: Mapping[str, Row] = {
    f"GET {_SESSIONS}": Row(Does.LIST, named=lambda found: (each["id"] for each in found), key="session_id"),
    f"GET {_SESSIONS}/{{session_id}}": READ,
    f"PATCH {_SESSIONS}/{{session_id}}": _TAGS,
    f"POST {_SESSIONS}/{{session_id}}": _TAGS,
    f"GET {_SESSIONS}/{{session_id}}/messages": READ,
    f"POST {_SESSIONS}/{{session_id}}/messages": Row(
        Does.WRITE, body=lambda _names: {"content": "x", "sender_role": "end-user"}
    ),
    "PATCH /v1/suggested_messages/{id}": WRITE,
    **{
        f"{operation}": NONE
        for operation in (
            *("GET /v1/customers", "POST /v1/customers", "GET /v1/customers/{customer_id}"),
            *("PATCH /v1/customers/{customer_id}", "DELETE /v1/customers/{customer_id}"),
            *("POST /v1/customers/{customer_id}/subscribe", "POST /v1/customers/{customer_id}/unsubscribe"),
            "POST /oauth2/token",
            *("GET /third-party/v1/customers", "GET /third-party/v1/customers/{id}"),
            *("GET /third-party/v1/customers/{id}/users", "GET /third-party/v1/profiles/{id}"),
        )
    },
    "GET /v2/agents": ACCOUNT,
    "POST /v2/agents": MANAGE,
    "GET /v2/agents/{agent_key}": ACCOUNT,
    "PATCH /v2/agents/{agent_key}": MANAGE,
    "PUT /v2/agents/{agent_key}": MANAGE,
    "DELETE /v2/agents/{agent_key}": MANAGE,
    f"GET {_AGENTS}": Row(
        Does.LIST, named=lambda found: (each["key"] for each in found["sessions"]), key="session_key"
    ),
    f"POST {_AGENTS}": Row(Does.OPEN, body=lambda _names: {}),
    f"GET {_AGENTS}/{{session_key}}": READ,
    f"PATCH {_AGENTS}/{{session_key}}": Row(Does.WRITE, body=lambda _names: {"name": "x"}),
    f"DELETE {_AGENTS}/{{session_key}}": WRITE,
    f"GET {_AGENTS}/{{session_key}}/events": READ,
    f"POST {_AGENTS}/{{session_key}}/events": Row(
        Does.WRITE,
        body=lambda _names: {"messages": [{"type": "text", "content": "x"}]},
    ),
    f"GET {_EVENT}": READ,
    f"DELETE {_EVENT}": WRITE,
    f"POST {_EVENT}/hide": WRITE,
    f"POST {_EVENT}/unhide": WRITE,
    f"GET {_CHAT}": Row(Does.LIST, named=lambda found: (each["PrimaryKey"] for each in found["value"]), key="id"),
    f"POST {_CHAT}": Row(Does.OPEN, body=lambda names: {"TopicId": names["topic"]}),
    f"GET {_CHAT}/default": ACCOUNT,
    f"GET {_CHAT}/ForCurrentUser": _MINE,
    f"GET {_CHAT}/{{id}}": READ,
    f"PUT {_CHAT}/{{id}}": _PATCHED,
    f"PATCH {_CHAT}/{{id}}": _PATCHED,
    f"DELETE {_CHAT}/{{id}}": WRITE,
    f"POST {_CHAT}/{{id}}/TransferTo/{{toAssociate}}": WRITE,
    f"POST {_CHAT}/{{id}}/AcceptTransfer": WRITE,
    f"POST {_CHAT}/{{id}}/RejectTransfer": WRITE,
    f"POST {_CHAT}/{{id}}/Pickup": WRITE,
    f"POST {_CHAT}/Pickup": Row(Does.TAKE),
    f"POST {_CHAT}/{{id}}/Reset": WRITE,
    f"GET {_CHAT}/{{id}}/Messages": READ,
    f"POST {_CHAT}/{{id}}/Messages": Row(Does.WRITE, body=lambda _names: {"message": "x", "type": "ToUser"}),
    f"POST {_CHAT}/{{id}}/Transcript": READ,
    f"POST {_CALL}/GetChatSessionEntity": Row(
        Does.READ, query=lambda names: {"chatSessionEntityId": names["id"]}, null=True
    ),
    f"POST {_CALL}/SaveChatSessionEntity": Row(
        Does.WRITE, body=lambda names: {"ChatSessionId": names["id"], "CustomerName": "x"}
    ),
    f"POST {_CALL}/CreateDefaultChatSessionEntity": ACCOUNT,
    f"POST {_CALL}/CreateChatSessionForTopic": Row(Does.OPEN, body=lambda names: {"chatTopicId": names["topic"]}),
    f"POST {_CALL}/DeleteChatSessionEntity": Row(Does.WRITE, query=lambda names: {"ChatSessionEntityId": names["id"]}),
    f"POST {_CALL}/ChatSessionsForUser": _MINE,
    f"POST {_CALL}/PickUpFirstChatSession": Row(Does.TAKE),
    f"POST {_CALL}/PickUpChatSession": Row(Does.WRITE, body=_of_chat()),
    f"POST {_CALL}/TransferChatSession": Row(Does.WRITE, body=_of_chat(toAssociate="ada")),
    f"POST {_CALL}/AcceptChatSessionTransfer": Row(Does.WRITE, body=_of_chat()),
    f"POST {_CALL}/RejectChatSessionTransfer": Row(Does.WRITE, body=_of_chat()),
    f"POST {_CALL}/ResetChatSession": Row(Does.WRITE, body=_of_chat()),
    f"POST {_CALL}/GetChatMessages": Row(Does.READ, body=_of_chat()),
    f"POST {_CALL}/AddChatMessage": Row(Does.WRITE, body=_of_chat(message={"message": "x", "type": "ToUser"})),
    f"POST {_CALL}/GetChatTranscript": Row(Does.READ, body=_of_chat()),
    f"GET {_CONVERSATIONS}": Row(Does.LIST, named=lambda found: (each["id"] for each in found["data"]), key="id"),
    f"GET {_CONVERSATIONS}/{{id}}": READ,
    f"PATCH {_CONVERSATIONS}/{{id}}": Row(Does.WRITE, body=lambda _names: {"status": "in-progress"}),
    f"DELETE {_CONVERSATIONS}/{{id}}": WRITE,
    f"POST {_CONVERSATIONS}/{{id}}/mark-read": WRITE,
    f"POST {_CONVERSATIONS}/{{id}}/restart": WRITE,
    f"GET {_CONVERSATIONS}/{{id}}/messages": READ,
    f"POST {_CONVERSATIONS}/{{id}}/messages": Row(
        Does.WRITE, body=lambda _names: {"type": "text", "text": {"content": "x"}}
    ),
    f"GET {_CONVERSATIONS}/{{id}}/messages/{{message_id}}": READ,
    f"POST {_CONVERSATIONS}/{{id}}/messages/{{message_id}}/set-reaction": Row(
        Does.WRITE, body=lambda _names: {"reaction": "\U0001f600"}
    ),
    f"GET {_CONVERSATIONS}/{{id}}/messages/{{message_id}}/errors/{{error_id}}": READ,
    **_NOTES,
    "GET /third-party/v1/agents": ACCOUNT,
    "GET /third-party/v1/agents/{id}": Row(Does.ACCOUNT, account=True),
}
"""Of each operation of every contract."""


async def put(client: Client, names: Names, side: tuple[int, int | None]) -> None:
    """Have the interaction go on, belong to the team, and be assigned to the user."""
    team, holder = side
    await _ask(client, "reopenInteraction", {"id": names["ref"]})
    await _done(client, "assignTeam", {"id": names["ref"], "teamId": f"tea_{team}" if team else None})
    user = None if holder is None else f"usr_{holder}"
    await _done(client, "assignInteraction", {"id": names["ref"], "userId": user})


async def store(client: Client) -> list[tuple[tuple[int, int | None], Names]]:
    """Of every kind an interaction of each side."""
    for name in ("Ours", "Theirs"):
        await _done(client, "createTeam", {"name": name})
    accounts = {
        "cha": await _done(
            client, "createChannelAgent", {"channel": "WIDGET", "displayId": "w", "name": "W"}, "channelAgent { id }"
        ),
        "top": await _done(client, "createChatTopic", {"name": "T"}, "chatTopic { id topicId }"),
        "aia": await _done(client, "createAiAgent", {"name": "A"}, "aiAgent { id agentKey }"),
    }
    await _done(
        client, "addChatTopicMember", {"chatTopicId": accounts["top"]["id"], "userId": "usr_2", "canRespond": True}
    )
    made: list[tuple[tuple[int, int | None], Names]] = []
    for number, side in enumerate(SIDES):
        for kind in KINDS:
            names = await _stored(client, kind, f"{kind} {number}", accounts)
            await put(client, names, side)
            made.append((side, names))
    return made


_TARGETS = {"session": {}, "conversation": {"channelAgentId": "cha"}, "chat_session": {"chatTopicId": "top"}}
_OF_KIND = """... on Session { sessionKey suggestedMessages { nodes { suggestionKey } } }
... on AgentSession { agentKey agentSessionKey } ... on ChatSession { chatSessionId }
... on Conversation { conversationId } customer { customerKey }"""


async def _stored(client: Client, kind: str, said: str, accounts: Mapping[str, Any]) -> Names:
    system: dict[str, Any] = {"channel": "WIDGET", "displayId": said} if kind == "conversation" else {}
    given = {"system": kind.upper(), "name": said, **system}
    customer = (await _done(client, "createCustomer", given, "customer { id customerKey }"))["id"]
    target: dict[str, Any] = {"kind": kind.upper(), "customerId": customer}
    if kind == "agent_session":
        target["agentKey"] = accounts["aia"]["agentKey"]
    for name, account in _TARGETS.get(kind, {}).items():
        target[name] = accounts[account]["id"]
    content = {"text": {"content": f"secret of {said}"}}
    given = {"target": {"customer": target}, "contents": [content]}
    payload = await _ask(
        client, "receiveMessage", given, f"interaction {{ id {_OF_KIND} }} message {{ id messageKey }}"
    )
    found, message = payload["interaction"], payload["message"]
    ref = {"id": found["id"]}
    note = (await _ask(client, "addNote", {**ref, "text": f"secret of {said}"}, "note { id }"))["note"]["id"]
    names: dict[str, Any] = {"kind": kind, "ref": found["id"], "said": f"secret of {said}", "note_id": note[4:]}
    if kind == "session":
        await _done(client, "updateSession", {**ref, "needAttention": True, "suggestedMessages": [{"content": "Hi"}]})
        read = f"query($id: ID!) {{ interaction(id: $id) {{ {_OF_KIND} }} }}"
        (suggestion,) = (await _graph(client, read, id=found["id"]))["interaction"]["suggestedMessages"]["nodes"]
        key = found["customer"]["customerKey"]
        return {**names, "customer_id": key, "session_id": found["sessionKey"], "id": suggestion["suggestionKey"]}
    if kind == "agent_session":
        keys = {"agent_key": found["agentKey"], "session_key": found["agentSessionKey"]}
        return {**names, **keys, "event_id": f"aev_{message['messageKey']}"}
    if kind == "chat_session":
        return {**names, "id": found["chatSessionId"], "toAssociate": "ada", "topic": accounts["top"]["topicId"]}
    answer = (await _ask(client, "sendMessage", {**ref, "content": content}, "message { id }"))["message"]["id"]
    failed = {"id": answer, "status": "ERROR", "error": {"type": "OTHER", "originalMessage": names["said"]}}
    gives = "message { errors { nodes { errorId } } }"
    (error,) = (await _ask(client, "reportMessageStatus", failed, gives))["message"]["errors"]["nodes"]
    of_message = {"message_id": answer[4:], "error_id": error["errorId"]}
    return {**names, **of_message, "id": found["conversationId"], "account": accounts["cha"]["id"][4:]}


async def _graph(client: Client, query: str, **variables: Any) -> Any:
    answer = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
    assert "errors" not in answer, answer
    return answer["data"]


async def _ask(client: Client, mutation: str, given: Mapping[str, Any], gives: str = "") -> Any:
    return (await _graph(client, mutation_text(mutation, gives), input=given))[mutation]


async def _done(client: Client, mutation: str, given: Mapping[str, Any], gives: str = "") -> Any:
    """The one thing of a payload that is asked for, if any."""
    payload = await _ask(client, mutation, given, gives)
    assert payload["errors"] == [], (mutation, payload["errors"])
    return payload[gives.split()[0]] if gives else None
