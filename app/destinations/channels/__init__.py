"""The channel of each type of destination."""

from collections.abc import Mapping
from types import MappingProxyType

from app.destinations.channels import mail, pagerduty, push, slack, teams, webhook
from app.destinations.channels.channel import Accepted, Channel, Letter, Message, Request, Target
from app.destinations.model import DestinationType

CHANNELS: Mapping[DestinationType, Channel] = MappingProxyType(
    {
        DestinationType.WEBHOOK: webhook.CHANNEL,
        DestinationType.SLACK: slack.CHANNEL,
        DestinationType.TEAMS: teams.CHANNEL,
        DestinationType.PAGERDUTY: pagerduty.CHANNEL,
        DestinationType.EMAIL: mail.CHANNEL,
        DestinationType.WEB_PUSH: push.CHANNEL,
    }
)
"""A new type of destination is a module and a line here."""

__all__ = ("CHANNELS", "Accepted", "Channel", "Letter", "Message", "Request", "Target")
