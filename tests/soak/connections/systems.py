"""The four connected systems: what is done in them and here, and what has to be equal on both sides."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.soak.connections.notes import Do, Node, adds_note, deletes_note, edits_note, of_there
from tests.soak.processes import KEY

ADMIN, BEA = "usr_1", "usr_2"
"""The same persons on both sides."""

OFFERED = frozenset({"acceptChatTransfer", "rejectChatTransfer"})
"""What is done by whom a chat is offered."""


class Bea(NamedTuple):
    """The other person: the id on one side, and a key there."""

    id: str
    key: str


Choose = random.Random
On = Callable[[Node, str, Choose], Do | None]
"""What to do with this interaction, None where that is not possible; the text is said nowhere else."""

EMOJIS = ("\U0001f600", "\U0001f44d", "\u2764\ufe0f", None)
"""Reactions, and None to take one back."""

DOOMED = "Never arrives: "
"""With this a message begins that never gets to the other system, as far as its sender can tell."""


@dataclass(frozen=True)
class System:
    """One of them. `there` and `here` are what is done on either side, `fields` what is asked of an interaction and
    `listed` those of them that a list shows, `message` the same of a message; `noted` says that notes are on both
    sides."""

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
    noted: bool = False


def _text(said: str) -> dict[str, Any]:
    return {"text": {"content": said}}


def hears(node: Node, said: str, _choose: Choose) -> Do:
    """The customer writes."""
    return "receiveMessage", {"target": {"interactionId": node["id"]}, "contents": [_text(said)]}


def says(node: Node, said: str, _choose: Choose) -> Do:
    """Somebody answers."""
    return "sendMessage", {"id": node["id"], "content": _text(said), "override": True}


def _plain(mutation: str, **more: Any) -> On:
    return lambda node, _said, _choose: (mutation, {"id": node["id"], **more})


def _assigned(node: Node, _said: str, _choose: Choose) -> Do:
    return "assignInteraction", {"id": node["id"], "userId": ADMIN}


def _reacts(node: Node, _said: str, choose: Choose) -> Do | None:
    """The business reacts to a message of the customer."""
    heard = [each["id"] for each in node["messages"]["nodes"] if each["author"] == "CUSTOMER"]
    return ("setReaction", {"id": choose.choice(heard), "reaction": choose.choice(EMOJIS)}) if heard else None


def _is_reacted_to(node: Node, _said: str, choose: Choose) -> Do | None:
    """The customer reacts to an answer."""
    answers = [each["id"] for each in node["messages"]["nodes"] if each["author"] == "USER"]
    given = {"reaction": choose.choice(EMOJIS), "ofCustomer": True}
    return ("setReaction", {"id": choose.choice(answers), **given}) if answers else None


def _one_of(mutation: str, **values: Sequence[Any]) -> On:
    """A mutation that sets some of these fields, each to one of its values."""

    def do(node: Node, _said: str, choose: Choose) -> Do:
        names = choose.sample(sorted(values), choose.randint(1, len(values)))
        return mutation, {"id": node["id"], **{name: choose.choice(values[name]) for name in names}}

    return do


_CLOSE, _REOPEN = _plain("closeInteraction"), _plain("reopenInteraction")
_CLAIM, _RELEASE = _plain("claimInteraction"), _plain("releaseInteraction")
_READ = _plain("markRead")

_ACCEPT, _REJECT = _plain("acceptChatTransfer"), _plain("rejectChatTransfer")


def _offered(node: Node, _said: str, _choose: Choose) -> Do:
    """The chat is offered to Bea, whose number is the same on both sides."""
    return "transferChatSession", {"id": node["id"], "userId": BEA}


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
        there=(
            hears,
            hears,
            hears,
            says,
            _CLOSE,
            _REOPEN,
            _assigned,
            _RELEASE,
            _READ,
            _reacts,
            _is_reacted_to,
            adds_note,
            adds_note,
            of_there(edits_note),
            of_there(deletes_note),
        ),
        here=(
            says,
            says,
            says,
            _CLOSE,
            _REOPEN,
            _assigned,
            _RELEASE,
            _READ,
            _reacts,
            _reacts,
            adds_note,
            adds_note,
            edits_note,
            deletes_note,
        ),
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
        noted=True,
    ),
    System(
        name="Office",
        kind="CHAT_SESSION",
        address="/api",
        there=(hears, hears, hears, says, _CLOSE, _REOPEN, _CLAIM, _RELEASE, _CHANGED_CHAT, _offered, _ACCEPT, _REJECT),
        here=(
            says,
            says,
            _CLOSE,
            _REOPEN,
            _CLAIM,
            _CLAIM,
            _RELEASE,
            _CHANGED_CHAT,
            _offered,
            _offered,
            _ACCEPT,
            _REJECT,
        ),
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
            "transferTo { login }",
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
        there=(hears, hears, hears, says, _CHANGED_SESSION),
        here=(says, says, _CHANGED_SESSION),
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


def new_connection(system: System, port: int, bea: Bea) -> dict[str, Any]:
    """The input that connects the system at this port, in which Bea has this key."""
    settings: dict[str, Any] = {"pollSeconds": 1}
    credential = KEY
    if system.name in ("Bot", "Office"):
        settings["users"] = {"admin": 1, "bea": 2}
    if system.name == "Office":
        credential = f'{{"token": "{KEY}", "users": {{"admin": "{KEY}", "bea": "{bea.key}"}}}}'
    if system.name == "Lemon":
        settings["customers"] = CUSTOMERS
    return {
        "system": CONNECTOR[system.name],
        "name": system.name,
        "address": f"http://127.0.0.1:{port}{system.address}",
        "credential": credential,
        "settings": settings,
    }
