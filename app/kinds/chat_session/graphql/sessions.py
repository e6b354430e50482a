"""The mutations of chats."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Concatenate, ParamSpec, cast

import strawberry

from app.core.actor import Actor
from app.core.ids import GlobalId, require_id
from app.graph.context import Info
from app.graph.fields import EditInput, mutation
from app.graph.inputs import changes
from app.kinds.chat_session.graphql.inputs import (
    ChatSessionPayload,
    MarkFetchedInput,
    PickUpChatSessionInput,
    RateChatSessionInput,
    RequestChatSessionInput,
    RequestChatSessionPayload,
    TransferChatSessionInput,
    UpdateChatSessionInput,
)
from app.kinds.chat_session.model.limits import LENGTHS, REFERENCES
from app.kinds.chat_session.model.session import PREFIX, ChatSession, ChatSessionChanges
from app.kinds.chat_session.service import queue, requests, sessions, transfers
from app.kinds.chat_session.service.requests import Request
from app.storage.work import Work

P = ParamSpec("P")

_CUSTOMER = (*LENGTHS, "customer_consented", *REFERENCES)
_OWN = (
    *("topic_id", "status", "alert_level", "customer_is_typing", "user_is_typing"),
    *("chatbot_is_active", "rating", "session_key"),
)


def _on(
    work: Work,
    actor: Actor,
    service: Callable[Concatenate[Work, Actor, GlobalId, P], ChatSession],
    given: str,
    *args: P.args,
    **kwargs: P.kwargs,
) -> ChatSession:
    """Run a service on the chat with a global id."""
    return service(work, actor, require_id(given, PREFIX), *args, **kwargs)


def _request(
    work: Work, actor: Actor, topic_id: int, given: ChatSessionChanges, customer: str | None, key: str | None
) -> Request:
    customer_id = None if customer is None else require_id(customer, "cus", path=("customer_id",)).number
    return requests.request_chat_session(work, actor, topic_id, given, customer_id=customer_id, idempotency_key=key)


def _pick_up(
    work: Work,
    actor: Actor,
    given: str | None,
    *,
    topic_id: int | None,
    if_version: int | None,
    idempotency_key: str | None,
) -> ChatSession | None:
    ref = None if given is None else require_id(given, PREFIX)
    return queue.pick_up_chat_session(
        work, actor, ref, topic_id=topic_id, if_version=if_version, idempotency_key=idempotency_key
    )


def _transfer(work: Work, actor: Actor, ref: GlobalId, to_user: str, *, if_version: int | None) -> ChatSession:
    user_id = require_id(to_user, "usr", path=("user_id",)).number
    return transfers.transfer_chat_session(work, actor, ref, user_id, if_version=if_version)


def _plain(given: ChatSessionChanges) -> ChatSessionChanges:
    """References as mappings, without items that were not given."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        if name in REFERENCES and value is not None:
            value = {item: held for item, held in asdict(cast("Any", value)).items() if held is not None}
        found[name] = value
    return cast("ChatSessionChanges", found)


def _requested(made: Request) -> dict[str, object]:
    return {"chat_session": made.id, "session_key": made.session_key}


@strawberry.type
class ChatSessionMutation:
    @mutation(
        description="Request a chat. Its topic decides who answers. The session key is returned only here.",
        input="The chat to request.",
    )
    async def request_chat_session(self, info: Info, input: RequestChatSessionInput) -> RequestChatSessionPayload:
        return await info.context.perform(
            input,
            _requested,
            _request,
            input.topic_id,
            _plain(changes(ChatSessionChanges, input, *_CUSTOMER)),
            input.customer_id,
            input.idempotency_key,
        )

    @mutation(
        description="Change a chat. Its status follows the state machine of chats.",
        input="The chat to change, and the fields to change.",
    )
    async def update_chat_session(self, info: Info, input: UpdateChatSessionInput) -> ChatSessionPayload:
        given = _plain(changes(ChatSessionChanges, input, *_CUSTOMER, *_OWN))
        return await info.context.perform(
            input, "chat_session", _on, sessions.update_chat_session, input.id, given, if_version=input.if_version
        )

    @mutation(
        description="Pick up a queued chat: the one named, or the one that has waited longest. Two callers never "
        "get the same chat.",
        input="The chat to pick up, or the topic to pick from.",
    )
    async def pick_up_chat_session(self, info: Info, input: PickUpChatSessionInput) -> ChatSessionPayload:
        return await info.context.perform(
            input,
            "chat_session",
            _pick_up,
            input.id,
            topic_id=input.topic_id,
            if_version=input.if_version,
            idempotency_key=input.idempotency_key,
        )

    @mutation(
        description="Offer a chat to another user, who accepts or rejects it.",
        input="The chat to transfer, and the user.",
    )
    async def transfer_chat_session(self, info: Info, input: TransferChatSessionInput) -> ChatSessionPayload:
        return await info.context.perform(
            input, "chat_session", _on, _transfer, input.id, input.user_id, if_version=input.if_version
        )

    @mutation(description="Withdraw the offer of a chat.", input="The chat whose offer to withdraw.")
    async def cancel_chat_transfer(self, info: Info, input: EditInput) -> ChatSessionPayload:
        return await _simply(info, input, transfers.cancel_chat_transfer)

    @mutation(description="Accept a chat that is offered to the caller.", input="The chat to accept.")
    async def accept_chat_transfer(self, info: Info, input: EditInput) -> ChatSessionPayload:
        return await _simply(info, input, transfers.accept_chat_transfer)

    @mutation(
        description="Reject a chat that is offered to the caller. It stays with its current user.",
        input="The chat to reject.",
    )
    async def reject_chat_transfer(self, info: Info, input: EditInput) -> ChatSessionPayload:
        return await _simply(info, input, transfers.reject_chat_transfer)

    @mutation(
        description="Return a chat to the queue of its topic, or to the offline form when no member of the topic is"
        " present.",
        input="The chat to return.",
    )
    async def reset_chat_session(self, info: Info, input: EditInput) -> ChatSessionPayload:
        return await _simply(info, input, queue.reset_chat_session)

    @mutation(
        description="Record the customer's rating of a chat that a user accepted.", input="The chat, and its rating."
    )
    async def rate_chat_session(self, info: Info, input: RateChatSessionInput) -> ChatSessionPayload:
        return await info.context.perform(
            input, "chat_session", _on, sessions.rate_chat_session, input.id, input.rating, if_version=input.if_version
        )

    @mutation(description="Mark a chat as deleted. It is erased a day later.", input="The chat to delete.")
    async def delete_chat_session(self, info: Info, input: EditInput) -> ChatSessionPayload:
        return await _simply(info, input, sessions.delete_chat_session)

    @mutation(description="Record that the customer's side has read a chat.", input="The chat that was read.")
    async def mark_fetched(self, info: Info, input: MarkFetchedInput) -> ChatSessionPayload:
        return await info.context.perform(
            input, "chat_session", _on, sessions.mark_fetched, input.id, session_key=input.session_key
        )


async def _simply(
    info: Info, given: EditInput, service: Callable[Concatenate[Work, Actor, GlobalId, ...], ChatSession]
) -> ChatSessionPayload:
    return await info.context.perform(given, "chat_session", _on, service, given.id, if_version=given.if_version)
