"""Which subscriptions and histories show an event of an interaction."""

from collections.abc import Sequence
from enum import Enum
from typing import ClassVar

from app.core.events import Event, declared_events


class Audience(Enum):
    """The subscriptions to changes that get an event."""

    ALL = "those that its filter or its id lets through"
    VIEWERS = "those to this one interaction: it changes nothing that a list shows"
    NOBODY = "none: another event or another subscription tells of it"


class InteractionEvent(Event):
    """Something that happened to an interaction, whose record also tells of it before and after."""

    __slots__ = ()

    audience: ClassVar[Audience] = Audience.ALL

    in_history: ClassVar[bool] = True
    """Whether it still means something afterwards, so that the interaction's history shows it."""

    stands_alone: ClassVar[bool] = False
    """Whether it is told of even where no field of the interaction is another than before."""

    brings_message: ClassVar[bool] = False
    """Whether the interaction has a message that it did not have before."""

    ends_typing: ClassVar[bool] = False
    """Whether what somebody typed is there now."""

    moves_queue: ClassVar[bool] = False
    """Whether the attention queue shows the interaction differently, whatever else changed."""


def meaning(of: type[Event]) -> type[InteractionEvent]:
    """The meaning of an event of an interaction; the default for an event that another version of Switchboard wrote."""
    return of if issubclass(of, InteractionEvent) else InteractionEvent


def momentary_topics() -> Sequence[str]:
    """The topics that histories leave out."""
    return [each.topic for each in declared_events() if issubclass(each, InteractionEvent) and not each.in_history]
