"""A ChannelAgent: a business account on a channel, as on WhatsApp."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TypedDict

from app.directory.model import Channel
from app.directory.model.checks import Check, flag, line, one_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAgent:
    """`display_id` is unique within the channel. While `in_sync` is false, the account is not connected, and messages
    sent through it are not delivered."""

    id: int = 0
    channel: Channel
    display_id: str
    name: str
    in_sync: bool = True
    version: int = 1
    created_at: datetime
    updated_at: datetime


class ChannelAgentChanges(TypedDict, total=False):
    """The fields of an update of a channel agent. An absent key leaves the field unchanged."""

    name: str
    in_sync: bool


CHANGEABLE: Mapping[str, Check] = MappingProxyType({"name": line(255, blank=False), "in_sync": flag})

CREATABLE: Mapping[str, Check] = MappingProxyType(
    {**CHANGEABLE, "channel": one_of(Channel), "display_id": line(255, blank=False)}
)
