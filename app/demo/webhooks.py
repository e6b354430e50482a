"""Sends the webhooks of the systems that the demo stands for."""

import base64
import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import uuid4

from standardwebhooks import Webhook

_CHANGES = """
subscription {
  interactionChanged {
    interaction {
      kind
      ... on Conversation { conversationId }
      ... on ChatSession { chatSessionId }
      ... on AgentSession { agentKey agentSessionKey }
      ... on Session { sessionKey customer { customerKey } }
    }
  }
}
"""
_LONGEST_SILENCE = 60.0
_POST_SECONDS = 5.0
_AGAIN_SECONDS = 0.5
_DATA = b"data: "


class Hook(NamedTuple):
    """Where a connection takes the webhooks of its system, and the secret that signs them."""

    system: str
    url: str
    secret: str


def webhook(system: str, key: str, secret: str) -> tuple[bytes, Mapping[str, str]]:
    """The body and the headers by which the system tells that what has this key there has changed. For VECTARA, which
    tells of nothing, those of a service that talks to its agents."""
    about, at = str(uuid4()), datetime.now(UTC)
    now = at.isoformat().replace("+00:00", "Z")
    first, _, second = key.partition("/")
    if system == "VOICEBOT":
        body = _json({"event": "conversation.updated", "data": {"conversation_id": int(key)}})
        return body, {"x-signature": hmac.digest(secret.encode(), body, hashlib.sha256).hex()}
    if system == "SUPEROFFICE":
        chat = {"Event": "chatsession.changed", "Entity": "chatsession", "PrimaryKey": int(key), "Changes": []}
        body = _json({"EventId": about, "Timestamp": now, "ContextIdentifier": "Default", **chat})
        signature = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
        return body, {"x-superoffice-eventid": about, "x-superoffice-signature": signature}
    if system == "VECTARA":
        body = _json({"agent_key": first, "session_key": second})
        signature = Webhook(secret).sign(about, at, body.decode())
        timestamp = str(int(at.timestamp()))
        return body, {"webhook-id": about, "webhook-timestamp": timestamp, "webhook-signature": signature}
    data = {"id": second, "customer_id": first}
    body = _json({"id": about, "name": "session.updated", "created_at": now, "data": data})
    return body, {"authorization": f"Bearer {secret}"}


class Webhooks(threading.Thread):
    """Follows the Switchboard at the address, and tells these hooks of what changes there.

    `following` is set while it hears of changes. What a hook does not take is lost, as it is with real systems."""

    def __init__(self, address: str, token: str, hooks: Iterable[Hook]) -> None:
        super().__init__(name="webhooks", daemon=True)
        self.following = threading.Event()
        self._address = address
        self._token = token
        self._hooks = {hook.system: hook for hook in hooks}

    def run(self) -> None:
        """Follow for ever."""
        while True:
            try:
                self._follow()
            except (OSError, ValueError):
                self.following.clear()
                time.sleep(_AGAIN_SECONDS)

    def _follow(self) -> None:
        headers = {
            "authorization": f"Bearer {self._token}",
            "content-type": "application/json",
            "accept": "text/event-stream",
        }
        request = urllib.request.Request(f"{self._address}/graphql", _json({"query": _CHANGES}), headers)
        with urllib.request.urlopen(request, timeout=_LONGEST_SILENCE) as stream:
            self.following.set()
            for line in stream:
                if line.startswith(_DATA):
                    self._tell(json.loads(line.removeprefix(_DATA))["data"]["interactionChanged"]["interaction"])
        raise OSError("The stream has ended.")

    def _tell(self, interaction: Mapping[str, Any] | None) -> None:
        system, key = _place(interaction)
        hook = self._hooks.get(system)
        if hook is None:
            return
        body, headers = webhook(system, key, hook.secret)
        request = urllib.request.Request(hook.url, body, {"content-type": "application/json", **headers})
        try:
            with urllib.request.urlopen(request, timeout=_POST_SECONDS):
                pass
        except (OSError, urllib.error.URLError):
            return


def _place(interaction: Mapping[str, Any] | None) -> tuple[str, str]:
    """The system that has it, and its key there."""
    match interaction:
        case {"conversationId": number}:
            return "VOICEBOT", str(number)
        case {"chatSessionId": number}:
            return "SUPEROFFICE", str(number)
        case {"agentKey": agent, "agentSessionKey": session}:
            return "VECTARA", f"{agent}/{session}"
        case {"sessionKey": session, "customer": {"customerKey": customer}}:
            return "DIRTY_LEMON", f"{customer}/{session}"
    return "", ""


def _json(value: object) -> bytes:
    return json.dumps(value).encode()
