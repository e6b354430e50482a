"""The mutations on messages of interactions of all kinds."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Concatenate, ParamSpec

import strawberry
from strawberry import Some

from app.core.actor import Actor
from app.core.errors import InvalidInput
from app.core.ids import GlobalId, parse_id, require_id
from app.graph.context import Info
from app.graph.fields import mutation
from app.interactions.graphql.inputs import (
    DeleteMessageInput,
    DeleteMessagePayload,
    MessageKeyInput,
    MessagePayload,
    ReceiveMessageInput,
    ReportMessageStatusInput,
    SendMessageInput,
    SetReactionInput,
)
from app.interactions.graphql.message_inputs import ReceiveMessageTarget, content_of
from app.interactions.graphql.mutations import interaction_ref, message_ref
from app.interactions.graphql.targets import target_of
from app.interactions.messages import MessageError, MessageStatus
from app.interactions.service import deliveries, messages
from app.interactions.service.messages import Posted
from app.storage.work import Work

P = ParamSpec("P")


def send(
    work: Work,
    actor: Actor,
    given: str,
    content: Mapping[str, Any],
    *,
    reference: str | None,
    if_latest_message: str | None,
    override: bool,
    sent_at: datetime | None,
    message_key: str | None,
    idempotency_key: str | None,
) -> Posted:
    """Send by ids as the graph has them."""
    return messages.send_message(
        work,
        actor,
        interaction_ref(given),
        content,
        reference=message_ref(reference, "reference_id"),
        if_latest_message=message_ref(if_latest_message, "if_latest_message_id"),
        override=override,
        idempotency_key=idempotency_key,
        fields=_fields(message_key=message_key, sent_at=sent_at),
    )


def receive(
    work: Work,
    actor: Actor,
    target: ReceiveMessageTarget,
    contents: Sequence[Mapping[str, Any]],
    sent_at: datetime | None,
    imported: bool,
    reference: str | None,
    message_key: str | None,
    idempotency_key: str | None,
) -> Posted:
    """Receive by ids as the graph has them."""
    return messages.receive_message(
        work,
        actor,
        _target(target),
        contents,
        sent_at=sent_at,
        imported=imported,
        reference=message_ref(reference, "reference_id"),
        idempotency_key=idempotency_key,
        fields=_fields(message_key=message_key),
    )


def on_message(
    work: Work,
    actor: Actor,
    command: Callable[Concatenate[Work, Actor, GlobalId, P], Posted],
    given: str,
    *args: P.args,
    **kwargs: P.kwargs,
) -> Posted:
    """Give a command to the message with this id."""
    return command(work, actor, require_id(given, "msg"), *args, **kwargs)


def report(
    work: Work,
    actor: Actor,
    given: str | None,
    key: MessageKeyInput | None,
    status: MessageStatus,
    error: MessageError | None,
) -> Posted:
    """Report a status of the message with this id, or with this key."""
    if given is not None and key is None:
        ref = require_id(given, "msg")
    elif key is not None and given is None:
        channel = require_id(key.channel_agent_id, "cha", path=("key", "channel_agent_id"))
        ref = deliveries.message_by_key(work, actor, str(channel), key.message_key)
    else:
        raise InvalidInput("Give either the id or the key of the message.", path=("id",))
    return deliveries.report_message_status(work, actor, ref, status, error=error)


def _fields(**given: object) -> Mapping[str, Any] | None:
    return {name: value for name, value in given.items() if value is not None} or None


def _target(given: ReceiveMessageTarget) -> Mapping[str, Any]:
    if isinstance(given.interaction_id, Some):
        return {"interaction": interaction_ref(given.interaction_id.value, path=("target", "interaction_id"))}
    if not isinstance(given.customer, Some):
        return {}
    return target_of(given.customer.value)


def _subject(given: ReceiveMessageTarget) -> GlobalId | None:
    """The interaction that the message is for, or the customer who wrote it."""
    if isinstance(given.interaction_id, Some):
        return parse_id(given.interaction_id.value)
    of = given.customer.value if isinstance(given.customer, Some) else None
    return None if of is None or of.customer_id is None else parse_id(of.customer_id)


def _posted(found: Posted) -> dict[str, object]:
    return found._asdict()


def _without_message(found: Posted) -> dict[str, object]:
    return {"interaction": found.interaction, "deleted_id": f"msg_{found.message}"}


@strawberry.type
class MessageMutation:
    @mutation(
        description="Send a message to the customer of an interaction.",
        input="The interaction, and the message to send.",
    )
    async def send_message(self, info: Info, input: SendMessageInput) -> MessagePayload:
        return await info.context.perform(
            input,
            _posted,
            send,
            input.id,
            content_of(input.content),
            reference=input.reference_id,
            if_latest_message=input.if_latest_message_id,
            override=input.override,
            sent_at=input.sent_at,
            message_key=input.message_key,
            idempotency_key=input.idempotency_key,
        )

    @mutation(
        description="Record a message that a customer sent. Opens an interaction when the customer has none.",
        input="The customer's message, and where it belongs.",
    )
    async def receive_message(self, info: Info, input: ReceiveMessageInput) -> MessagePayload:
        return await info.context.perform_about(
            input,
            _posted,
            _subject(input.target),
            receive,
            input.target,
            [content_of(each) for each in input.contents],
            input.sent_at,
            input.imported,
            input.reference_id,
            input.message_key,
            input.idempotency_key,
        )

    @mutation(
        description="Set or remove the reaction to a message. Only Conversations support reactions.",
        input="The message, and the emoji; null removes it.",
    )
    async def set_reaction(self, info: Info, input: SetReactionInput) -> MessagePayload:
        return await info.context.perform(
            input, _posted, on_message, deliveries.set_reaction, input.id, input.reaction, of_customer=input.of_customer
        )

    @mutation(
        description="Record the delivery status of a message. Only Conversations support it.",
        input="The message, and its status.",
    )
    async def report_message_status(self, info: Info, input: ReportMessageStatusInput) -> MessagePayload:
        told = input.error
        error = None if told is None else MessageError(type=told.type, original_message=told.original_message)
        return await info.context.perform(input, _posted, report, input.id, input.key, input.status, error)

    @mutation(description="Delete a message.", input="The message to delete.")
    async def delete_message(self, info: Info, input: DeleteMessageInput) -> DeleteMessagePayload:
        return await info.context.perform(input, _without_message, on_message, deliveries.delete_message, input.id)
