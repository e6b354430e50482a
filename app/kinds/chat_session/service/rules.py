"""The rules of a chat for the shared commands."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from app.connections.model import PREFIX as CONNECTIONS
from app.connections.service import MirroredRules
from app.core.actor import Actor
from app.core.errors import DomainError, InvalidInput, NotFound
from app.core.ids import require_id
from app.directory.model import User
from app.directory.repository import UserRepository
from app.interactions.meaning import InteractionEvent
from app.interactions.messages import Message, MessageAuthor, is_answer
from app.interactions.model import AnyCommand, Cause, State, Turn
from app.interactions.rules import Hours
from app.interactions.service.leaving import follow_user
from app.interactions.service.rights import may_work
from app.kinds.chat_session.model.attention import REASONS, causes, state, without_alert
from app.kinds.chat_session.model.refusals import RESPONDERS_ONLY, Subject, may_respond, refusal
from app.kinds.chat_session.model.session import (
    ACTIVE,
    KIND,
    PREFIX,
    ChatMessageSpecialType,
    ChatMessageType,
    ChatSession,
    ChatSessionStatus,
)
from app.kinds.chat_session.model.topic import time_open
from app.kinds.chat_session.model.transitions import (
    customer_wrote,
    ended,
    erased_at,
    handed_back,
    reopened,
    taken_over,
    turn,
    user_wrote,
    waiting,
    with_copies,
)
from app.kinds.chat_session.repository import ChatSessionRepository, ChatTopicRepository
from app.kinds.chat_session.service import presence
from app.kinds.chat_session.service.mirroring import outgoing, queue_changes, restored
from app.kinds.chat_session.service.notices import closing, notice, started, typed, with_rank
from app.kinds.chat_session.service.requests import open_chat

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.work import Work


_NO_ANSWERS = (ChatMessageSpecialType.WELCOME, ChatMessageSpecialType.ERROR)


class Rules(MirroredRules[ChatSession]):
    """The KindRules of chats. The model makes all decisions."""

    name = KIND
    prefix = PREFIX
    reasons: Mapping[str, str] = REASONS
    repository = ChatSessionRepository

    def channel_key(self, interaction: ChatSession) -> str:
        """All chats of ours are one channel, and the chats of each connection are another."""
        return KIND if interaction.connection_id is None else f"{CONNECTIONS}_{interaction.connection_id}"

    def state(self, interaction: ChatSession, now: datetime, settings: "Settings") -> State:
        return state(interaction)

    def causes(self, interaction: ChatSession, now: datetime, settings: "Settings") -> Sequence[Cause]:
        return causes(interaction)

    def refusal(
        self, command: AnyCommand, subject: object, actor: Actor, now: datetime, settings: "Settings"
    ) -> DomainError | None:
        return refusal(command, cast("Subject", subject), actor, now)

    def as_received(self, interaction: ChatSession, message: Message) -> Message:
        return replace(
            message,
            message_type=message.message_type or ChatMessageType.TO_USER.value,
            special_type=message.special_type or ChatMessageSpecialType.NONE.value,
            author_name=message.author_name or interaction.customer_name or interaction.customer_alias,
        )

    def on_customer_message(self, work: "Work", interaction: ChatSession, message: Message) -> ChatSession:
        after = with_copies(customer_wrote(interaction), message.text, message.sent_at)
        if interaction.status is ChatSessionStatus.FINISHED:
            customer = Actor(user_id=0, name=interaction.customer_name or interaction.customer_alias or "")
            text = "The customer reopened the chat."
            after = notice(work, customer, after, ChatMessageSpecialType.REOPENED_BY_CUSTOMER, text)
        return with_rank(work, after)

    def on_user_message(self, work: "Work", interaction: ChatSession, message: Message) -> tuple[ChatSession, Message]:
        ready = typed(_of_bot(work, interaction, message))
        if ready.message_type != ChatMessageType.TO_CUSTOMER:
            return interaction, ready
        after = with_copies(interaction, ready.text, ready.sent_at)
        if ready.special_type != ChatMessageSpecialType.WELCOME:
            user_id = ready.user_id if ready.author is MessageAuthor.USER else None
            after = with_rank(work, user_wrote(after, user_id, work.now))
        return after, ready

    def answers(self, interaction: ChatSession, message: Message, settings: "Settings") -> bool:
        if message.message_type != ChatMessageType.TO_CUSTOMER or message.special_type in _NO_ANSWERS:
            return False
        return is_answer(message, interaction, asked=False)

    def held_for(self, work: "Work", interaction: ChatSession, command: AnyCommand) -> ChatSession:
        if command not in RESPONDERS_ONLY:
            return interaction
        responders = work.use(ChatTopicRepository).hold_responders(interaction.topic_id)
        return replace(interaction, responders=responders)

    def may_hold(self, interaction: ChatSession, user: User) -> bool:
        return may_work(user, interaction) and (user.is_admin or may_respond(interaction.responders, user.id))

    def on_assign(self, work: "Work", actor: Actor, interaction: ChatSession, user_id: int | None) -> ChatSession:
        if user_id is None:
            return with_rank(work, waiting(interaction, ChatSessionStatus.IN_QUEUE))
        if interaction.status in ACTIVE and interaction.when_started is not None:
            return with_rank(work, taken_over(interaction, user_id, work.now))
        return started(work, actor, interaction, user_id)

    def on_team_changed(self, work: "Work", interaction: ChatSession) -> ChatSession:
        return presence.with_offer_of_team(work, interaction)

    def on_close(self, work: "Work", actor: Actor, interaction: ChatSession) -> ChatSession:
        return closing(work, actor, ended(interaction, ChatSessionStatus.CLOSED, work.now))

    def on_reopen(self, work: "Work", actor: Actor, interaction: ChatSession) -> ChatSession:
        return with_rank(work, reopened(interaction))

    def on_resume_bot(self, work: "Work", interaction: ChatSession) -> ChatSession:
        return with_rank(work, handed_back(interaction))

    def on_clear(self, work: "Work", actor: Actor, interaction: ChatSession) -> ChatSession:
        return without_alert(interaction)

    def next_turn(self, interaction: ChatSession, now: datetime, settings: "Settings") -> datetime | None:
        return erased_at(interaction)

    def turn(self, interaction: ChatSession, now: datetime, settings: "Settings") -> Turn[ChatSession] | None:
        return turn(interaction, now)

    def of_user(self, work: "Work", user_id: int) -> Collection[int]:
        return {*super().of_user(work, user_id), *presence.of_user(work, user_id)}

    def on_user_changed(self, work: "Work", actor: Actor, before: User, after: User) -> None:
        follow_user(work, actor, self, before, after)
        presence.follow_role(work, actor, before, after)
        presence.follow_presence(work, actor, before, after)

    def hours(self, work: "Work", account: str) -> Hours | None:
        topic = work.use(ChatTopicRepository).get(require_id(account, "top").number)
        if topic is None or not topic.opening_hours:
            return None
        return partial(time_open, topic)

    def queue_changes(
        self,
        work: "Work",
        actor: Actor,
        before: ChatSession,
        after: ChatSession,
        command: AnyCommand,
        happened: InteractionEvent,
    ) -> None:
        queue_changes(work, actor, before, after, command, happened)

    def outgoing(
        self, work: "Work", interaction: ChatSession, action: str, value: object, message_id: int | None
    ) -> Mapping[str, object] | None:
        return outgoing(work, interaction, action, value, message_id)

    def restored(
        self, work: "Work", interaction: ChatSession, action: str, value: object, message_id: int | None
    ) -> ChatSession:
        return restored(work, interaction, action, value, message_id)

    def open_for(self, work: "Work", actor: Actor, target: Mapping[str, Any]) -> ChatSession:
        topic_id = target.get("chat_topic_id")
        topic = None if topic_id is None else work.use(ChatTopicRepository).get(topic_id)
        if topic is None:
            raise InvalidInput("A chat needs a topic.", path=("chat_topic_id",))
        customer_id = target.get("customer_id")
        if customer_id is not None:
            chats = work.use(ChatSessionRepository)
            if not chats.lock_customer(customer_id):
                raise NotFound("There is no such customer.", path=("customer_id",))
            found = chats.of_customer(customer_id, topic.id)
            chat = None if found is None else chats.load(found)
            if chat is not None:
                return chat
        imported = bool(target.get("imported"))
        return open_chat(work, actor, topic, {}, customer_id=customer_id, imported=imported).session


def _of_bot(work: "Work", session: ChatSession, message: Message) -> Message:
    """Whether a message is a bot's: sent by a service user in a chat that it does not hold. Such a message does not
    take the chat."""
    if message.author is not MessageAuthor.USER or message.user_id is None or message.user_id == session.assignee_id:
        return message
    user = work.use(UserRepository).get(message.user_id)
    return replace(message, author=MessageAuthor.BOT) if user is not None and user.is_service else message
