"""A chat topic: how its chats begin, and its members' rights."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TypedDict

from app.kinds.chat_session.model.hours import is_open, open_between
from app.kinds.chat_session.model.session import ChatSessionStatus


class ChatInitialStatus(StrEnum):
    """The status that a topic's chats begin with."""

    IN_QUEUE = "IN_QUEUE"
    PRE_CHAT_FORM = "PRE_CHAT_FORM"
    FAQ = "FAQ"

    @property
    def status(self) -> ChatSessionStatus:
        return ChatSessionStatus(self.value)


class Weekday(StrEnum):
    """A day of the week, as opening hours name it."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class Right(StrEnum):
    """What a member may do in a topic. The value is the name of the member's field."""

    RESPOND = "can_respond"
    LISTEN = "can_listen"
    MANAGE = "can_manage"
    NOTIFY = "can_notify"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTopic:
    """A subject that customers can chat about. `topic_id` is the contract's own key. For a topic of another system,
    `upstream_key` is its key there.

    `opening_hours` holds `{"day", "opens", "closes"}` with times as `HH:MM` in `time_zone`, see `hours.py`."""

    id: int
    topic_id: int
    name: str
    description: str | None = None
    welcome_message: str | None = None
    language: str | None = None
    bot_enabled: bool = False
    initial_status: ChatInitialStatus = ChatInitialStatus.IN_QUEUE
    opening_hours: tuple[Mapping[str, str], ...] = ()
    time_zone: str | None = None
    offline_message: str | None = None
    ticket_enabled: bool = False
    ticket_category_id: int | None = None
    ticket_priority_id: int | None = None
    upstream_key: str | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTopicMember:
    """A user's rights in a topic. `present` is whether the user is available for chats."""

    id: int
    topic_id: int
    user_id: int
    can_respond: bool = False
    can_listen: bool = False
    can_manage: bool = False
    can_notify: bool = False
    present: bool = False


class ChatTopicChanges(TypedDict, total=False):
    """The fields of a new topic, or of a change."""

    topic_id: int
    name: str
    description: str | None
    welcome_message: str | None
    language: str | None
    bot_enabled: bool
    initial_status: ChatInitialStatus
    opening_hours: Sequence[Mapping[str, str]]
    time_zone: str | None
    offline_message: str | None
    ticket_enabled: bool
    ticket_category_id: int | None
    ticket_priority_id: int | None


class MemberRights(TypedDict, total=False):
    """The rights to give or take."""

    can_respond: bool
    can_listen: bool
    can_manage: bool
    can_notify: bool


def time_open(topic: ChatTopic, since: datetime, until: datetime) -> timedelta:
    """How much of the time between the two moments the topic was open."""
    try:
        return open_between(topic.opening_hours, topic.time_zone, since, until)
    except ValueError:
        return open_between(topic.opening_hours, None, since, until)


def beginning(topic: ChatTopic, now: datetime) -> tuple[ChatSessionStatus, bool]:
    """The status that a chat of the topic begins with now, and whether its bot starts.

    Outside the opening hours the customer sees the offline form, and nobody answers."""
    try:
        within = is_open(topic.opening_hours, topic.time_zone, now)
    except ValueError:
        # The name was stored before names were checked.
        within = is_open(topic.opening_hours, None, now)
    if not within:
        return ChatSessionStatus.OFFLINE_FORM, False
    return topic.initial_status.status, topic.bot_enabled


def holds(members: Iterable[ChatTopicMember], right: Right, user_id: int) -> bool:
    """Whether the user has the right in a topic with these members.

    A right that no member holds is open to everyone, so that a topic works before it has members."""
    holders = [member.user_id for member in members if getattr(member, right.value)]
    return not holders or user_id in holders
