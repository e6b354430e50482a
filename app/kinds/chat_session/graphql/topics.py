"""The mutations of chat topics and their members."""

from dataclasses import asdict
from typing import Any, cast

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
from app.kinds.chat_session.model.topic import ChatTopic, ChatTopicChanges, ChatTopicMember, MemberRights
from app.kinds.chat_session.reads import MEMBER_PREFIX, TOPIC_PREFIX
from app.kinds.chat_session.service import topics
from app.storage.work import Work

_FIELDS = (
    *("description", "welcome_message", "language", "bot_enabled", "initial_status", "opening_hours", "time_zone"),
    *("offline_message", "ticket_enabled", "ticket_category_id", "ticket_priority_id"),
)
_RIGHTS = ("can_respond", "can_listen", "can_manage", "can_notify")


def _plain(given: Any) -> ChatTopicChanges:
    """The opening hours as mappings."""
    if "opening_hours" in given:
        given["opening_hours"] = [{**asdict(each), "day": each.day.value} for each in given["opening_hours"]]
    return cast("ChatTopicChanges", given)


def _update(work: Work, actor: Actor, given: str, values: ChatTopicChanges) -> ChatTopic:
    return topics.update_chat_topic(work, actor, require_id(given, TOPIC_PREFIX), values)


def _delete(work: Work, actor: Actor, given: str) -> GlobalId:
    return topics.delete_chat_topic(work, actor, require_id(given, TOPIC_PREFIX))


def _add(
    work: Work, actor: Actor, topic: str, user: str, rights: MemberRights, *, idempotency_key: str | None
) -> ChatTopicMember:
    ref = require_id(topic, TOPIC_PREFIX, path=("chat_topic_id",))
    user_id = require_id(user, "usr", path=("user_id",)).number
    return topics.add_chat_topic_member(work, actor, ref, user_id, rights, idempotency_key=idempotency_key)


def _change(work: Work, actor: Actor, given: str, rights: MemberRights) -> ChatTopicMember:
    ref = require_id(given, MEMBER_PREFIX)
    return topics.update_chat_topic_member(work, actor, ref, rights)


def _remove(work: Work, actor: Actor, given: str) -> GlobalId:
    return topics.remove_chat_topic_member(work, actor, require_id(given, MEMBER_PREFIX))


def _deleted(gone: GlobalId) -> dict[str, object]:
    return {"deleted_id": str(gone)}


@strawberry.type
class ChatTopicMutation:
    @mutation(description="Create a chat topic.", input="The topic to create.")
    async def create_chat_topic(self, info: Info, input: CreateChatTopicInput) -> ChatTopicPayload:
        given = _plain({"name": input.name, "topic_id": input.topic_id} | changes(dict[str, Any], input, *_FIELDS))
        return await info.context.perform(
            input, "chat_topic", topics.create_chat_topic, given, idempotency_key=input.idempotency_key
        )

    @mutation(
        description="Change a chat topic. When it has managers, only they and admins may.",
        input="The topic to change, and the fields to change.",
    )
    async def update_chat_topic(self, info: Info, input: UpdateChatTopicInput) -> ChatTopicPayload:
        given = _plain(changes(dict[str, Any], input, "name", *_FIELDS))
        return await info.context.perform(input, "chat_topic", _update, input.id, given)

    @mutation(description="Delete a chat topic that has no chats, and its members.", input="The topic to delete.")
    async def delete_chat_topic(self, info: Info, input: DeleteChatTopicInput) -> DeleteChatTopicPayload:
        return await info.context.perform(input, _deleted, _delete, input.id)

    @mutation(description="Add a user to a chat topic.", input="The topic, the user, and the user's rights.")
    async def add_chat_topic_member(self, info: Info, input: AddChatTopicMemberInput) -> ChatTopicMemberPayload:
        return await info.context.perform(
            input,
            "chat_topic_member",
            _add,
            input.chat_topic_id,
            input.user_id,
            changes(MemberRights, input, *_RIGHTS),
            idempotency_key=input.idempotency_key,
        )

    @mutation(
        description="Change the rights of a member of a chat topic.",
        input="The member to change, and the rights to change.",
    )
    async def update_chat_topic_member(self, info: Info, input: UpdateChatTopicMemberInput) -> ChatTopicMemberPayload:
        return await info.context.perform(
            input, "chat_topic_member", _change, input.id, changes(MemberRights, input, *_RIGHTS)
        )

    @mutation(description="Remove a member from a chat topic.", input="The member to remove.")
    async def remove_chat_topic_member(
        self, info: Info, input: RemoveChatTopicMemberInput
    ) -> RemoveChatTopicMemberPayload:
        return await info.context.perform(input, _deleted, _remove, input.id)
