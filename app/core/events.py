"""The class of each event, and the record kept in the log."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, TypeVar, dataclass_transform

E = TypeVar("E", bound="Event")

ANY_KIND = "*"
"""Placeholder in a declared topic for the name of the interaction's kind."""

INTERACTION = "interaction"
"""The subject of topics in the graph, whatever the kind: `kind` says which it is."""


class Event:
    """Something that happened, named in the past tense. A subclass is declared by `event`.

    Its fields are what the log keeps beside who, what and when: numbers, codes and names of fields. They never contain
    message text or secrets, because a deletion must erase both."""

    __slots__ = ()

    topic: ClassVar[str] = ""
    """The name by which clients know it (`user.updated`), or `*.closed` for an event of interactions of every kind."""

    names: ClassVar[tuple[str, ...]] = ()
    """The names of its fields."""

    concerns_keys: ClassVar[bool] = False
    """Whether it can change whom a key belongs to, or end the key. Remembered keys are then looked up again."""

    ends_session: ClassVar[bool] = False
    """Whether the process that has the session of its field `session_id` closes it."""

    is_audit: ClassVar[bool] = False
    """Whether it tells what somebody did without changing anything. The log shows it to those who manage users."""

    def record(
        self,
        *,
        kind: str | None = None,
        interaction_id: int | None = None,
        customer_id: int | None = None,
        assignee_id: int | None = None,
        actor_id: int | None = None,
        version: int | None = None,
        level_before: int | None = None,
        level_after: int | None = None,
        more: Mapping[str, object] | None = None,
    ) -> "EventRecord":
        """The event as a record. `more` is added beside its fields."""
        data = {name: getattr(self, name) for name in self.names}
        topic = self.topic
        return EventRecord(
            topic=f"{kind}{topic[1:]}" if topic.startswith(ANY_KIND) else topic,
            kind=kind,
            interaction_id=interaction_id,
            customer_id=customer_id,
            assignee_id=assignee_id,
            actor_id=actor_id,
            version=version,
            level_before=level_before,
            level_after=level_after,
            data=data if more is None else {**data, **more},
        )

    @classmethod
    def of(cls: type[E], record: "EventRecord") -> E:
        """The event of a record. A field that the record lacks, because an older version wrote it, is None."""
        return cls(**{name: record.data.get(name) for name in cls.names})


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(topic: str) -> Callable[[type[E]], type[E]]:
    """Declare the decorated class as the event of this topic. Raises ValueError when another class has the topic."""

    def declare(declared: type[E]) -> type[E]:
        if topic in _DECLARED:
            raise ValueError(f"Two events have the topic {topic}.")
        made: type[E] = dataclass(frozen=True, slots=True, kw_only=True)(declared)
        made.topic = topic
        made.names = tuple(each.name for each in fields(made))  # type: ignore[arg-type]
        _DECLARED[topic] = made
        event_type.cache_clear()
        return made

    return declare


_DECLARED: dict[str, type[Event]] = {}


def declared_events() -> Iterator[type[Event]]:
    """Every declared event."""
    yield from _DECLARED.values()


@lru_cache(maxsize=1024)
def event_type(topic: str) -> type[Event] | None:
    """The event with this topic; None when only another version of Switchboard has it."""
    return _DECLARED.get(topic) or _DECLARED.get(ANY_KIND + topic[topic.find(".") :])


class UnknownEvent(Event):
    """An event of another version of Switchboard that is about no interaction. It may concern keys."""

    __slots__ = ()
    concerns_keys = True


class EventRecord(NamedTuple):
    """An event as the log keeps it: its topic, what it is about, its actor, and the rest as `data`.

    A tuple, for one is made for each event of the log that is read, and a frozen dataclass takes five times as long.
    `data` holds JSON scalars, lists and objects: the event's fields, and the names of changed fields with their scalar
    values before and after."""

    topic: str
    kind: str | None = None
    interaction_id: int | None = None
    customer_id: int | None = None
    assignee_id: int | None = None
    actor_id: int | None = None
    client_mutation_id: str | None = None
    version: int | None = None
    level_before: int | None = None
    level_after: int | None = None
    data: Mapping[str, Any] = {}  # nobody changes it

    @property
    def type(self) -> type[Event]:
        """The class of the event."""
        return event_type(self.topic) or (UnknownEvent if self.kind is None else Event)


class LoggedEvent(NamedTuple):
    """The record of an event with its place in the log."""

    lane: int
    position: int
    at: datetime
    event: EventRecord


@lru_cache(maxsize=1024)
def topic_name(topic: str, kind: str | None = None) -> str:
    """The name in the graph of a topic of the log: `customer.created` is CUSTOMER_CREATED, and `conversation.closed`
    of an interaction of that kind is INTERACTION_CLOSED."""
    subject, _, past = topic.partition(".")
    return f"{INTERACTION if subject == kind else subject}_{past}".upper()


def event_id(interaction_id: int | None, position: int, lane: int = 0) -> str:
    """The id of an event, the same in the history as in the log: an interaction's events are all in one lane."""
    return f"evt_{lane}_{position}" if interaction_id is None else f"evt_{interaction_id}.{position}"
