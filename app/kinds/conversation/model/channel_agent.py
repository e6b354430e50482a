"""What a ChannelAgent is: a business account on a messenger channel, such as a WhatsApp number."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TypedDict

from app.directory.model import Channel
from app.directory.model.checks import Check, flag, line, one_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAgent:
    """`display_id` is unique within the channel. While `in_sync` is false the account is not connected, and what is
    sent through it is not delivered."""

    id: int = 0
    channel: Channel
    display_id: str
    name: str
    in_sync: bool = True
    version: int = 1
    created_at: datetime
    updated_at: datetime


class ChannelAgentChanges(TypedDict, total=False):
    """What an update of a channel agent may carry; an absent key stays."""

    name: str
    in_sync: bool


CHANGEABLE: Mapping[str, Check] = MappingProxyType({"name": line(255, blank=False), "in_sync": flag})

CREATABLE: Mapping[str, Check] = MappingProxyType(
    {**CHANGEABLE, "channel": one_of(Channel), "display_id": line(255, blank=False)}
)
