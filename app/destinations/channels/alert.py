"""The text of an alert for people."""

from dataclasses import dataclass
from typing import Any

import orjson

from app.destinations.model import AlertStep

DOCUMENT = """subscription Alerts($destinationId: ID!) {
  alertChanged(destinationId: $destinationId) {
    cursor at step count policy { name } interactionId
    interaction {
      id kind state customer { name } assignee { name }
      attention { level reason reasons since acknowledgedBy { name } }
    }
  }
}"""
"""What is sent to a destination without a document of its own."""

_KINDS = {
    "SESSION": "Session",
    "AGENT_SESSION": "agent session",
    "CHAT_SESSION": "chat",
    "CONVERSATION": "conversation",
}
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert. Every text is one printable line of bounded length; channels have to escape it."""

    step: AlertStep
    count: int
    at: str
    interaction_id: str
    policy: str
    kind: str
    customer: str
    level: str
    reason: str
    since: str
    by: str
    link: str | None

    @classmethod
    def of(cls, text: str, public_url: str | None) -> "Alert | None":
        """Parses an item of DOCUMENT; None for a test message."""
        data = orjson.loads(text).get("data")
        if data is None:
            return None
        item: dict[str, Any] = data["alertChanged"]
        found: dict[str, Any] = item["interaction"] or {}
        attention: dict[str, Any] = found.get("attention") or {}
        by = found.get("assignee") or attention.get("acknowledgedBy")
        return cls(
            step=AlertStep(item["step"]),
            count=item["count"],
            at=item["at"],
            interaction_id=item["interactionId"],
            policy=one_line(_name(item["policy"])),
            kind=_KINDS.get(found.get("kind") or "", "interaction"),
            customer=one_line(_name(found.get("customer"))),
            level=attention.get("level") or "",
            reason=(attention.get("reason") or "").replace("_", " ").lower(),
            since=attention.get("since") or "",
            by=one_line(_name(by)),
            link=None if public_url is None else f"{public_url}/#open={item['interactionId']}",
        )

    @property
    def title(self) -> str:
        """One sentence that says what happened."""
        who = f"{self.customer or 'A customer'} ({self.kind} {self.interaction_id})"
        match self.step:
            case AlertStep.RAISED:
                return f"{self.level or 'Alert'}: {who} needs a human"
            case AlertStep.REPEATED:
                return f"{self.level or 'Alert'}: {who} still needs a human, told {self.count} times"
            case AlertStep.CLAIMED:
                return f"Claimed by {self.by or 'a user'}: {who}"
            case AlertStep.ACKNOWLEDGED:
                return f"Acknowledged by {self.by or 'a user'}: {who}"
            case AlertStep.OVER:
                return f"Over: {who}" if self.kind != "interaction" else f"Over: {self.interaction_id}"

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Further facts as pairs of name and value."""
        if self.step not in (AlertStep.RAISED, AlertStep.REPEATED):
            return []
        found = [("Reason", self.reason), ("Waiting since", self.since), ("Policy", self.policy)]
        return [(name, value) for name, value in found if value]


TEST = "This is a test of Switchboard. Alerts arrive here."


def one_line(text: str, most: int = _LONGEST_NAME) -> str:
    """The text without line breaks and invisible characters, such as bidirectional controls."""
    found = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return found if len(found) <= most else f"{found[: most - 1]}…"


def _name(found: dict[str, Any] | None) -> str:
    return (found or {}).get("name") or ""
