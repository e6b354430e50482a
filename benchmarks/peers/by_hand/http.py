"""What the servers written by hand share: GraphQL's HTTP without GraphQL, one function for each known document."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import orjson
import uvicorn

from benchmarks.baseline import serve

Answer = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""From the variables of a request to its `data`."""

LEVELS = (None, "URGENT", "HIGH", "NORMAL", "LOW")
PREFIXES = {"session": "ses", "agent_session": "ags", "chat_session": "chs", "conversation": "cnv"}


def serve_by_hand(opened: AbstractAsyncContextManager[Mapping[str, Answer]]) -> None:
    """Serve until ended: an Answer for each document."""
    answers: dict[str, Answer] = {}

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            async with opened as found:
                answers.update(found)
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        asked = orjson.loads(body)
        data = orjson.dumps({"data": await answers[asked["query"]](asked["variables"])}, option=orjson.OPT_UTC_Z)
        headers = [
            (b"content-type", b"application/graphql-response+json"),
            (b"content-length", str(len(data)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": data})

    serve(
        uvicorn.Config(application, loop="uvloop", http="httptools", ws="none", access_log=False, log_level="warning")
    )


def flat(row: Any) -> Mapping[str, Any]:
    """An interaction of a list without edges, from (id, kind, state, version, last_message_at)."""
    number, kind, state, version, last_message_at = row
    return {
        "id": f"{PREFIXES[kind]}_{number}",
        "kind": kind.upper(),
        "state": state,
        "version": version,
        "latestMessageAt": last_message_at,
    }


def node(row: Any, messages: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """An interaction of the inbox, from (id, kind, state, last_message_at, unread, level, reason, since, customer)."""
    number, kind, state, last_message_at, unread, level, reason, since, customer_id, name = row[:10]
    return {
        "id": f"{PREFIXES[kind]}_{number}",
        "kind": kind.upper(),
        "state": state,
        "latestMessageAt": last_message_at,
        "unreadCustomerMessagesCount": unread,
        "attention": {"level": LEVELS[level or 0], "reason": reason, "since": since},
        "customer": None if customer_id is None else {"id": f"cus_{customer_id}", "name": name},
        "messages": {"nodes": messages},
    }


def message(row: Any) -> Mapping[str, Any]:
    """A message, from (id, author, text, sent_at)."""
    number, author, text, sent_at = row
    return {"id": f"msg_{number}", "author": author, "text": text, "sentAt": sent_at}


def event_of(given: Mapping[str, Any], tags: str, topics: str) -> str:
    """What an update writes into the log's `data`, from the input and the encoded values before it."""
    before = {"tags": orjson.Fragment(tags), "topics": orjson.Fragment(topics)}
    after = {"state": "OPEN", "bot_active": True, "labels": [], "reasons": [], "unread": True}
    changes = [{"field": name, "before": None, "after": None} for name in before]
    after |= {"tags": given["tags"], "topics": given["topics"]}
    return orjson.dumps({"changes": changes, "before": before, "after": after}).decode()
