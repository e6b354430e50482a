"""The four connected systems: what is done in them and here, and what has to be equal on both sides."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.soak.processes import KEY

ADMIN = "usr_1"
"""The same person on both sides."""

Node = Mapping[str, Any]
Do = tuple[str, dict[str, Any]]
"""A mutation and its input."""

Choose = random.Random
On = Callable[[str, str, Choose], Do]
"""What to do with the interaction of this id; the text is said nowhere else."""


@dataclass(frozen=True)
class System:
    """One of them. `there` and `here` are what is done on either side, `fields` what is asked of an interaction and
    `listed` those of them that a list shows, `message` the same of a message."""

    name: str
    kind: str
    address: str
    there: Sequence[On]
    here: Sequence[On]
    fields: Sequence[str]
    listed: Sequence[str]
    message: Sequence[str]
    key: Callable[[Node], str]
    hooked: bool = False


def _text(said: str) -> dict[str, Any]:
    return {"text": {"content": said}}


def hears(ref: str, said: str, _choose: Choose) -> Do:
    """The customer writes."""
    return "receiveMessage", {"target": {"interactionId": ref}, "contents": [_text(said)]}


def _says(ref: str, said: str, _choose: Choose) -> Do:
    return "sendMessage", {"id": ref, "content": _text(said), "override": True}


def _plain(mutation: str, **more: Any) -> On:
    return lambda ref, _said, _choose: (mutation, {"id": ref, **more})


def _assigned(ref: str, _said: str, _choose: Choose) -> Do:
    return "assignInteraction", {"id": ref, "userId": ADMIN}


def _one_of(mutation: str, **values: Sequence[Any]) -> On:
    """A mutation that sets some of these fields, each to one of its values."""

    def do(ref: str, _said: str, choose: Choose) -> Do:
        names = choose.sample(sorted(values), choose.randint(1, len(values)))
        return mutation, {"id": ref, **{name: choose.choice(values[name]) for name in names}}

    return do


_CLOSE, _REOPEN = _plain("closeInteraction"), _plain("reopenInteraction")
_CLAIM, _RELEASE = _plain("claimInteraction"), _plain("releaseInteraction")
_READ = _plain("markRead")

_CHANGED_CHAT = _one_of(
    "updateChatSession",
    customerEmail=["ana@example.com", "bea@example.com", None],
    customerPhone=["+4915112345678", "1", None],
    alertLevel=[0, 1, 2, 3],
    customerConsented=[True, False],
)
_CHANGED_AGENT = _one_of(
    "updateAgentSession",
    name=["Parcel", "Refund", "Address"],
    description=["Late", "Lost", "Found"],
    metadata=[{"customer_id": f"c-{each}", "priority": each} for each in range(4)],
    enabled=[True, True, False],
    ttiMinutes=[0, 600, 6_000],
)
_CHANGED_SESSION = _one_of(
    "updateSession",
    needAttention=[True, False],
    tags=[["vip"], ["late", "vip"], []],
    topics=[["parcel"], ["refund"], []],
)
_TOLD = ("receiveMessage", "sendMessage")
"""What makes a message."""


def makes_message(do: Do) -> bool:
    """Whether it says something."""
    return do[0] in _TOLD


def _number(name: str) -> Callable[[Node], str]:
    return lambda node: str(node[name])


_ASSIGNEE = "assignee { login }"

SYSTEMS = (
    System(
        name="Bot",
        kind="CONVERSATION",
        address="/third-party/v1",
        there=(hears, hears, hears, _says, _CLOSE, _REOPEN, _assigned, _RELEASE, _READ),
        here=(_says, _says, _says, _CLOSE, _REOPEN, _assigned, _RELEASE, _READ),
        fields=(
            "conversationId",
            "status",
            _ASSIGNEE,
            "lastCustomerReplyFrom",
            "replyUntil",
            "snoozeUntil",
            "customer { name displayId }",
            "channelAgent { name inSync }",
        ),
        listed=("status", "assignee", "lastCustomerReplyFrom", "replyUntil"),
        message=("agentReaction", "customerReaction"),
        key=_number("conversationId"),
    ),
    System(
        name="Office",
        kind="CHAT_SESSION",
        address="/api",
        there=(hears, hears, hears, _says, _CLOSE, _REOPEN, _CLAIM, _RELEASE, _CHANGED_CHAT),
        here=(_says, _says, _says, _CLOSE, _REOPEN, _CLAIM, _RELEASE, _CHANGED_CHAT, _CHANGED_CHAT),
        fields=(
            "chatSessionId",
            "status",
            _ASSIGNEE,
            "customerEmail",
            "customerPhone",
            "customerName",
            "alertLevel",
            "customerConsented",
            "whenRequested",
            "whenStarted",
            "whenEnded",
            "lastMessage",
            "topic { name }",
        ),
        listed=("status", "assignee", "lastMessage"),
        message=("readByCustomer", "messageType"),
        key=_number("chatSessionId"),
        hooked=True,
    ),
    System(
        name="Agents",
        kind="AGENT_SESSION",
        address="",
        there=(hears, hears, hears, _CHANGED_AGENT),
        here=(hears, hears, _CHANGED_AGENT),
        fields=("agentKey", "agentSessionKey", "name", "description", "metadata", "enabled", "ttiMinutes"),
        listed=("name", "description", "metadata", "enabled", "ttiMinutes"),
        message=("hidden",),
        key=lambda node: f"{node['agentKey']}/{node['agentSessionKey']}",
    ),
    System(
        name="Lemon",
        kind="SESSION",
        address="",
        there=(hears, hears, hears, _says, _CHANGED_SESSION),
        here=(_says, _says, _CHANGED_SESSION),
        fields=("sessionKey", "needAttention", "tags", "topics", "customer { customerKey firstName }"),
        listed=("needAttention", "tags", "topics"),
        message=(),
        key=lambda node: f"{node['customer']['customerKey']}/{node['sessionKey']}",
        hooked=True,
    ),
)

CONNECTOR = {"Bot": "VOICEBOT", "Office": "SUPEROFFICE", "Agents": "VECTARA", "Lemon": "DIRTY_LEMON"}
CUSTOMERS = [f"4f2a1c9e-0000-4000-8000-{number:012}" for number in range(8)]
"""The keys of the customers who write to the messaging bot by text message."""


def new_connection(system: System, port: int) -> dict[str, Any]:
    """The input that connects the system at this port."""
    settings: dict[str, Any] = {"pollSeconds": 1}
    credential = KEY
    if system.name in ("Bot", "Office"):
        settings["users"] = {"admin": 1}
    if system.name == "Office":
        credential = f'{{"token": "{KEY}", "users": {{"admin": "{KEY}"}}}}'
    if system.name == "Lemon":
        settings["customers"] = CUSTOMERS
    return {
        "system": CONNECTOR[system.name],
        "name": system.name,
        "address": f"http://127.0.0.1:{port}{system.address}",
        "credential": credential,
        "settings": settings,
    }
