"""What differs between a system and what is here of it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.soak.connections.notes import ADDED, BEGINS, Node, Noted
from tests.soak.connections.proxy import Proxy
from tests.soak.connections.sides import Side
from tests.soak.connections.systems import DOOMED, System

MOST_TRIES = 3
"""So many tries of unknown fate make a message undecidable."""

_ENTRIES = "entries(first: 100) { nodes { id action state aboutMessage { id text } } }"
HERE = f"upstream {{ name key pending {_ENTRIES} }}"
"""What is asked of an interaction here beside its fields."""


@dataclass
class Both:
    """What both sides have of one system, by its keys."""

    system: System
    there: Mapping[str, Node]
    here: Mapping[str, Node]
    twice: Sequence[str] = ()


async def both(system: System, there: Side, here: Side) -> Both:
    """What both sides have of the system now."""
    nodes = await here.interactions(system, HERE)
    mirrored = [each for each in nodes if each["upstream"] is not None and each["upstream"]["name"] == system.name]
    keys = Counter(each["upstream"]["key"] for each in mirrored)
    return Both(
        system,
        {system.key(each): each for each in await there.interactions(system)},
        {each["upstream"]["key"]: each for each in mirrored},
        [key for key, many in keys.items() if many > 1],
    )


def differing(found: Both, noted: Noted, *, whole: bool) -> Iterator[str]:
    """What is not equal; what no list shows only where it is `whole`."""
    system = found.system
    yield from (f"{system.name}: {key} is here twice" for key in found.twice)
    yield from (f"{system.name}: {key} is not here" for key in found.there.keys() - found.here.keys())
    yield from (f"{system.name}: {key} is here alone" for key in found.here.keys() - found.there.keys())
    for key in sorted(found.there.keys() & found.here.keys()):
        there, here = found.there[key], found.here[key]
        if here["upstream"]["pending"]:
            yield f"{system.name}: {key}: {here['upstream']['pending']} writes are pending"
        for name in system.listed if not whole else sorted(_names(system)):
            if _value(there, name) != _value(here, name) and not _stays(system, name, there):
                yield f"{system.name}: {key}: {name} is {there[name]!r} there and {here[name]!r} here"
        yield from (f"{system.name}: {key}: {each}" for each in _messages(system, there, here, whole=whole))
        if whole and system.noted:
            yield from (f"{system.name}: {key}: {each}" for each in noted.differing(there, here))


def _stays(system: System, name: str, there: Node) -> bool:
    """Whether who has it here keeps it: a chat that goes on there and is nobody's."""
    unheld = system.kind == "CHAT_SESSION" and name == "assignee" and there["assignee"] is None
    return unheld and there["status"] != "IN_QUEUE"


def _names(system: System) -> Iterator[str]:
    yield from (each.partition(" ")[0] for each in system.fields if each not in _OWN)


_OWN = frozenset({"conversationId", "chatSessionId", "agentKey", "sessionKey", "customer { customerKey firstName }"})
"""Numbers and keys that each side has of its own."""


_TIMES = frozenset({"lastCustomerReplyFrom", "replyUntil", "snoozeUntil", "whenRequested", "whenStarted", "whenEnded"})
"""What the contracts say to the second."""


def _value(node: Node, name: str) -> Any:
    found = node[name]
    if isinstance(found, str) and name in _TIMES:
        return found[:19]
    if name == "customer" and found is not None:
        return {each: value for each, value in found.items() if each != "customerKey"}
    if isinstance(found, list) and name in ("tags", "topics"):
        return sorted(found)
    return found


def _messages(system: System, there: Node, here: Node, *, whole: bool) -> Iterator[str]:
    unsent = _unsent(here)
    if there["messages"]["pageInfo"]["hasNextPage"]:
        return
    ours = [each for each in here["messages"]["nodes"] if each["id"] not in unsent]
    theirs = there["messages"]["nodes"]
    texts = Counter(each["text"] for each in theirs), Counter(each["text"] for each in ours)
    if texts[0] != texts[1]:
        missing, more = sorted((texts[0] - texts[1]).elements()), sorted((texts[1] - texts[0]).elements())
        yield f"there alone are {missing}, and here alone {more}"
        return
    if whole:
        known = {each["text"]: each for each in ours}
        for each in theirs:
            own = known[each["text"]]
            for name in ("author", *system.message):
                if each[name] != own[name] and not (name == "readByCustomer" and each["author"] == "SYSTEM"):
                    yield f"{each['text']!r}: {name} is {each[name]!r} there and {own[name]!r} here"


def _unsent(here: Node) -> frozenset[str]:
    """The ids of messages here that the system refused, or of which nobody knows whether it has them."""
    return frozenset(
        each["aboutMessage"]["id"]
        for each in here["upstream"]["entries"]["nodes"]
        if each["aboutMessage"] is not None
        and each["action"] == "MESSAGE"
        and each["state"] in ("REFUSED", "UNCERTAIN")
    )


@dataclass
class Troubles:
    """What is left to humans: how much was refused and is uncertain, and where that is not as it should be."""

    refused: int = 0
    uncertain: int = 0
    faults: list[str] = field(default_factory=list)
    entries: list[tuple[str, str]] = field(default_factory=list)
    """The ids of all of them, each with its action."""
    notes: int = 0
    """How many notes are uncertain."""

    def see(self, found: Both, proxy: Proxy, kills: int) -> None:
        """Look at what was refused and is uncertain of a system."""
        for key, here in found.here.items():
            place, entries = f"{found.system.name}: {key}", here["upstream"]["entries"]["nodes"]
            states = Counter(each["state"] for each in entries)
            self.refused += states["REFUSED"]
            self.uncertain += states["UNCERTAIN"]
            self.notes += sum((each["action"], each["state"]) == (ADDED, "UNCERTAIN") for each in entries)
            self.entries += [(each["id"], each["action"]) for each in entries]
            reasons = here["attention"]["reasons"]
            # What is closed asks nobody.
            if here["state"] == "OPEN" and bool(entries) is not any(each.startswith("SYNC_") for each in reasons):
                self.faults.append(f"{place}: {[(each['action'], each['state']) for each in entries]}, and {reasons}")
            nodes = found.there.get(key, {}).get("messages", {}).get("nodes", ())
            texts = Counter(each["text"] for each in nodes)
            own = {each["id"]: each for each in here["messages"]["nodes"]}
            for each in entries:
                message = each["aboutMessage"]
                if message is None or each["action"] != "MESSAGE":
                    continue
                text = message["text"]
                if texts[text]:
                    self.faults.append(f"{place}: {text!r} is {each['state']} here, and {texts[text]} times there")
                status, author = own[message["id"]]["status"], own[message["id"]]["author"]
                if each["state"] == "REFUSED" and author != "CUSTOMER" and status != "ERROR":
                    self.faults.append(f"{place}: {text!r} was refused, and is {status}")
                if text.startswith(DOOMED) and each["state"] != "UNCERTAIN":
                    self.faults.append(f"{place}: {text!r} never arrived, and is {each['state']}")
                if each["state"] == "UNCERTAIN" and proxy.doubtful[text] + kills < MOST_TRIES:
                    self.faults.append(f"{place}: {text!r} is uncertain after {proxy.doubtful[text]} doubts")

    def see_notes(self, proxy: Proxy, kills: int) -> None:
        """Look whether so many notes may be uncertain."""
        enough = {text for text, many in proxy.doubtful.items() if many + kills >= MOST_TRIES}
        doubtful = sorted(text for text in enough if text.startswith(BEGINS))
        if self.notes > len(doubtful):
            self.faults.append(f"{self.notes} notes are uncertain, and only {doubtful} may be")
