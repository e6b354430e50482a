"""Incidents in PagerDuty, by its Events API v2."""

import re

import orjson

from app.core.errors import InvalidInput
from app.destinations.channels.alert import Alert
from app.destinations.channels.channel import JSON_HEADERS, Accepted, Channel, Message, Request, Target
from app.destinations.model import AlertStep

_KEY = re.compile(r"[0-9A-Za-z]{32}")
_SEVERITIES = {"URGENT": "critical", "HIGH": "error", "NORMAL": "warning", "LOW": "info"}
_ACTIONS = {
    AlertStep.RAISED: "trigger",
    AlertStep.REPEATED: "trigger",
    AlertStep.ACKNOWLEDGED: "acknowledge",
    # A user has taken over. A later release opens a new incident.
    AlertStep.CLAIMED: "resolve",
    AlertStep.OVER: "resolve",
}


def _accept(address: str, secret: str | None) -> Accepted:
    if secret is None or not _KEY.fullmatch(secret):
        raise InvalidInput("This takes the integration key of a service in PagerDuty, 32 characters.", path=("secret",))
    return Accepted(address, secret)


def _request(target: Target, message: Message) -> Request:
    alert = message.alert()
    body: dict[str, object] = {"routing_key": target.secrets[0]}
    if alert is None:
        # PagerDuty checks the key, and no incident opens.
        body |= {"event_action": "resolve", "dedup_key": message.id}
    else:
        body |= _event(alert)
    return Request(target.address, JSON_HEADERS, orjson.dumps(body))


def _event(alert: Alert) -> dict[str, object]:
    action = _ACTIONS[alert.step]
    event: dict[str, object] = {"event_action": action, "dedup_key": f"switchboard-{alert.interaction_id}"}
    if action != "trigger":
        return event
    event |= {
        "client": "Switchboard",
        "payload": {
            "summary": alert.title,
            "source": alert.interaction_id,
            "severity": _SEVERITIES.get(alert.level, "error"),
            "timestamp": alert.at,
            "component": alert.kind,
            "class": alert.reason or "attention",
            "custom_details": {name: value for name, value in (("customer", alert.customer), *alert.facts) if value},
        },
    }
    if alert.link is not None:
        event |= {"client_url": alert.link, "links": [{"href": alert.link, "text": "Open"}]}
    return event


CHANNEL = Channel(_accept, _request, takes_secret=True)
