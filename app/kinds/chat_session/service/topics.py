"""Commands on chat topics and their members."""

from dataclasses import replace
from typing import TYPE_CHECKING

from app.core.actor import Actor
from app.core.errors import Forbidden, InvalidInput, NotFound
from app.core.events import Event
from app.core.ids import GlobalId
from app.directory.service.editing import created
from app.kinds.chat_session.events import (
    ChatTopicCreated,
    ChatTopicDeleted,
    ChatTopicUpdated,
    MemberAdded,
    MemberRemoved,
    MemberUpdated,
)
from app.kinds.chat_session.model.limits import TOPIC_LENGTHS, check_topic
from app.kinds.chat_session.model.session import KIND
from app.kinds.chat_session.model.topic import ChatTopic, ChatTopicChanges, ChatTopicMember, MemberRights, Right, holds
from app.kinds.chat_session.repository import ChatTopicRepository
from app.kinds.chat_session.service.presence import follow_rights
from app.storage.idempotency import once

if TYPE_CHECKING:
    from app.storage.work import Work

_REQUIRED = ("name", "bot_enabled", "initial_status", "opening_hours", "ticket_enabled")


def create_chat_topic(
    work: "Work", actor: Actor, given: ChatTopicChanges, *, idempotency_key: str | None = None
) -> ChatTopic:
    """Create a topic, which needs a name. `topic_id` is the contract's number; without it, one is given out.

    Raises Forbidden, InvalidInput and TooLong with the field's path, AlreadyExists for a number that is taken,
    KeyReused."""
    actor.require(f"{KIND}:write")
    topics = work.use(ChatTopicRepository)

    def make() -> int:
        _check(given, new=True)
        values = {name: value for name, value in given.items() if value is not None}
        values["opening_hours"] = tuple(given.get("opening_hours") or ())
        values.setdefault("topic_id", 0)
        new = topics.add(ChatTopic(id=0, created_at=work.now, updated_at=work.now, **values))  # type: ignore[arg-type]
        _tell(work, actor, ChatTopicCreated(topic_id=new.id))
        return new.id

    request = ["createChatTopic", dict(given)]
    return _found(topics.get(once(work, actor, idempotency_key, request, make)))


def mirrored_topic(work: "Work", actor: Actor, upstream_key: str, name: str) -> ChatTopic:
    """The topic of another system with this key. If it is not here yet, one with this name is created."""
    topics = work.use(ChatTopicRepository)
    found = topics.get_by_upstream_key(upstream_key)
    if found is None:
        name = name[: TOPIC_LENGTHS["name"]]
        new = ChatTopic(
            id=0, topic_id=0, name=name, upstream_key=upstream_key, created_at=work.now, updated_at=work.now
        )
        found = topics.add(new)
        _tell(work, actor, ChatTopicCreated(topic_id=found.id))
    return found


def update_chat_topic(work: "Work", actor: Actor, ref: GlobalId, changes: ChatTopicChanges) -> ChatTopic:
    """Change a topic. Raises NotFound, Forbidden, InvalidInput and TooLong with the field's path."""
    before = _manageable(work, actor, ref.number)
    _check(changes, new=False)
    values = dict(changes)
    if "opening_hours" in changes:
        values["opening_hours"] = tuple(changes["opening_hours"])
    after = replace(before, **values)  # type: ignore[arg-type]
    if after == before:
        return before
    after = replace(after, updated_at=work.now)
    work.use(ChatTopicRepository).save(before, after)
    _tell(work, actor, ChatTopicUpdated(topic_id=before.id))
    return after


def delete_chat_topic(work: "Work", actor: Actor, ref: GlobalId) -> GlobalId:
    """Delete a topic with its members. Raises NotFound, Forbidden, Conflict for one that has chats."""
    before = _manageable(work, actor, ref.number)
    work.use(ChatTopicRepository).remove(before.id)
    _tell(work, actor, ChatTopicDeleted(topic_id=before.id))
    return ref


def add_chat_topic_member(
    work: "Work",
    actor: Actor,
    ref: GlobalId,
    user_id: int,
    rights: MemberRights,
    *,
    idempotency_key: str | None = None,
) -> ChatTopicMember:
    """Give a user rights in a topic.

    Raises NotFound, also when a repeat finds its member removed, Forbidden, AlreadyExists for a user who is a member
    already, KeyReused."""
    topic = _manageable(work, actor, ref.number)
    topics = work.use(ChatTopicRepository)

    def add() -> ChatTopicMember:
        member = topics.add_member(ChatTopicMember(id=0, topic_id=topic.id, user_id=user_id, **rights))
        _tell(work, actor, MemberAdded(topic_id=topic.id, user_id=user_id))
        if member.can_respond:
            follow_rights(work, actor, topic.id, user_id, responds=True)
        return member

    request = {"add": "chat_topic_member", "topic": topic.id, "user": user_id, **rights}
    return created(work, actor, idempotency_key, request, lambda number: _member_of(work, topic.id, number), add)


def update_chat_topic_member(work: "Work", actor: Actor, ref: GlobalId, rights: MemberRights) -> ChatTopicMember:
    """Change a member's rights. Raises NotFound, Forbidden."""
    before = _member(work, actor, ref)
    after = replace(before, **rights)
    if after != before:
        work.use(ChatTopicRepository).save_member(before, after)
        _tell(work, actor, MemberUpdated(topic_id=before.topic_id, user_id=before.user_id))
        if after.can_respond != before.can_respond:
            follow_rights(work, actor, before.topic_id, before.user_id, responds=after.can_respond)
    return after


def remove_chat_topic_member(work: "Work", actor: Actor, ref: GlobalId) -> GlobalId:
    """End a membership. Raises NotFound, Forbidden."""
    before = _member(work, actor, ref)
    work.use(ChatTopicRepository).remove_member(before)
    _tell(work, actor, MemberRemoved(topic_id=before.topic_id, user_id=before.user_id))
    follow_rights(work, actor, before.topic_id, before.user_id, responds=False)
    return ref


def _manageable(work: "Work", actor: Actor, number: int) -> ChatTopic:
    """The topic, locked. Raises Forbidden for an actor who may not manage it: if a topic has managers, only they
    may."""
    actor.require(f"{KIND}:write")
    topics = work.use(ChatTopicRepository)
    topics.lock_with_rights(number)
    topic = _found(topics.get(number))
    if not actor.is_admin and not holds(topics.members(topic.id), Right.MANAGE, actor.user_id):
        raise Forbidden("Only a member of the topic who may manage it can change it.", path=("id",))
    return topic


def _member(work: "Work", actor: Actor, ref: GlobalId) -> ChatTopicMember:
    topics = work.use(ChatTopicRepository)
    topic = topics.topic_of_member(ref.number)
    if topic is not None:
        _manageable(work, actor, topic)
        member = _member_of(work, topic, ref.number)
        if member is not None:
            return member
    actor.require(f"{KIND}:write")
    raise NotFound("There is no such member of a topic.", path=("id",))


def _member_of(work: "Work", topic: int, number: int) -> ChatTopicMember | None:
    members = work.use(ChatTopicRepository).members(topic)
    return next((member for member in members if member.id == number), None)


def _found(topic: ChatTopic | None) -> ChatTopic:
    if topic is None:
        raise NotFound("There is no such chat topic.", path=("id",))
    return topic


def _check(given: ChatTopicChanges, *, new: bool) -> None:
    check_topic(given)
    for name in _REQUIRED:
        if name in given and given[name] is None:  # type: ignore[literal-required]
            raise InvalidInput(f"{name} cannot be cleared.", path=(name,))
    if new and "name" not in given:
        raise InvalidInput("A topic needs a name.", path=("name",))
    if not new and "topic_id" in given:
        raise InvalidInput("A topic's number cannot be changed.", path=("topic_id",))


def _tell(work: "Work", actor: Actor, happened: Event) -> None:
    work.record(happened.record(actor_id=actor.user_id or None))
