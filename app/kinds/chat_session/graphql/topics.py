"""The mutations of chat topics and their members."""

from dataclasses import asdict
from typing import Annotated, Any

import strawberry

from app.core.actor import Actor
from app.core.ids import GlobalId, require_id
from app.graph.context import Info
from app.graph.fields import mutation
from app.graph.inputs import changes
from app.kinds.chat_session.graphql.inputs import (
    AddChatTopicMemberInput,
    ChatTopicMemberPayload,
    ChatTopicPayload,
    CreateChatTopicInput,
    DeleteChatTopicInput,
    DeleteChatTopicPayload,
    RemoveChatTopicMemberInput,
    RemoveChatTopicMemberPayload,
    UpdateChatTopicInput,
    UpdateChatTopicMemberInput,
)
from app.kinds.chat_session.model.topic import ChatTopic, ChatTopicMember
from app.kinds.chat_session.repository import MEMBER_PREFIX, TOPIC_PREFIX
from app.kinds.chat_session.service import topics
from app.storage.work import Work

_What = strawberry.argument(description="What to do.")
_FIELDS = (
    *("description", "welcome_message", "language", "bot_enabled", "initial_status", "opening_hours", "time_zone"),
    *("offline_message", "ticket_enabled", "ticket_category_id", "ticket_priority_id"),
)
_RIGHTS = ("can_respond", "can_listen", "can_manage", "can_notify")


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    if "opening_hours" in given:
        given["opening_hours"] = [{**asdict(each), "day": each.day.value} for each in given["opening_hours"]]
    return given


def _update(work: Work, actor: Actor, given: str, values: dict[str, Any]) -> ChatTopic:
    return topics.update_chat_topic(work, actor, require_id(given, TOPIC_PREFIX), values)  # type: ignore[arg-type]


def _delete(work: Work, actor: Actor, given: str) -> GlobalId:
    return topics.delete_chat_topic(work, actor, require_id(given, TOPIC_PREFIX))


def _add(
    work: Work, actor: Actor, topic: str, user: str, rights: dict[str, Any], *, idempotency_key: str | None
) -> ChatTopicMember:
    ref = require_id(topic, TOPIC_PREFIX, path=("topic_id",))
    user_id = require_id(user, "usr", path=("user_id",)).number
    return topics.add_chat_topic_member(
        work,
        actor,
        ref,
        user_id,
        rights,  # type: ignore[arg-type]
        idempotency_key=idempotency_key,
    )


def _change(work: Work, actor: Actor, given: str, rights: dict[str, Any]) -> ChatTopicMember:
    ref = require_id(given, MEMBER_PREFIX)
    return topics.update_chat_topic_member(work, actor, ref, rights)  # type: ignore[arg-type]


def _remove(work: Work, actor: Actor, given: str) -> GlobalId:
    return topics.remove_chat_topic_member(work, actor, require_id(given, MEMBER_PREFIX))


def _deleted(gone: GlobalId) -> dict[str, object]:
    return {"deleted_id": str(gone)}


@strawberry.type
class ChatTopicMutation:
    @mutation(description="Make a chat topic.")
    async def create_chat_topic(self, info: Info, input: Annotated[CreateChatTopicInput, _What]) -> ChatTopicPayload:
        given = {"name": input.name, "topic_id": input.topic_id, **_plain(changes(input, *_FIELDS))}
        return await info.context.perform(
            input, topics.create_chat_topic, given, idempotency_key=input.idempotency_key, gives="chat_topic"
        )

    @mutation(description="Change a chat topic. Where it has managers, they and admins alone may.")
    async def update_chat_topic(self, info: Info, input: Annotated[UpdateChatTopicInput, _What]) -> ChatTopicPayload:
        given = _plain(changes(input, "name", *_FIELDS))
        return await info.context.perform(input, _update, input.id, given, gives="chat_topic")

    @mutation(description="Delete a chat topic that has no chats, with its members.")
    async def delete_chat_topic(
        self, info: Info, input: Annotated[DeleteChatTopicInput, _What]
    ) -> DeleteChatTopicPayload:
        return await info.context.perform(input, _delete, input.id, gives=_deleted)

    @mutation(description="Give a user rights in a chat topic.")
    async def add_chat_topic_member(
        self, info: Info, input: Annotated[AddChatTopicMemberInput, _What]
    ) -> ChatTopicMemberPayload:
        return await info.context.perform(
            input,
            _add,
            input.topic_id,
            input.user_id,
            changes(input, *_RIGHTS),
            idempotency_key=input.idempotency_key,
            gives="chat_topic_member",
        )

    @mutation(description="Change a member's rights in a chat topic.")
    async def update_chat_topic_member(
        self, info: Info, input: Annotated[UpdateChatTopicMemberInput, _What]
    ) -> ChatTopicMemberPayload:
        return await info.context.perform(input, _change, input.id, changes(input, *_RIGHTS), gives="chat_topic_member")

    @mutation(description="End a user's membership of a chat topic.")
    async def remove_chat_topic_member(
        self, info: Info, input: Annotated[RemoveChatTopicMemberInput, _What]
    ) -> RemoveChatTopicMemberPayload:
        return await info.context.perform(input, _remove, input.id, gives=_deleted)
