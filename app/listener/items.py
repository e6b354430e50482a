"""The documents of the listener, and what an item says."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

LEVELS = ("URGENT", "HIGH", "NORMAL", "LOW")
"""The levels of attention, most urgent first."""

WAITING = "WAITING"
"""The `change` of interactions that waited when listening began. The other changes are those of the graph."""

Item = Mapping[str, Any]

_INTERACTION = """
    id kind state customer { name } assignee { name }
    attention { needed level reason since deadline acknowledgedBy { name } claimedBy { name } }
"""

QUEUE = f"""
query Waiting($filter: InteractionFilter, $page: String) {{
  attentionQueue(filter: $filter, first: 100, after: $page) {{
    cursor
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ {_INTERACTION} }}
  }}
}}
"""

ALERTS = f"""
subscription Alerts($filter: InteractionEventFilter, $after: String) {{
  attentionChanged(filter: $filter, after: $after) {{
    cursor id at change topic interactionId kind levelBefore levelAfter reasonBefore reasonAfter
    interaction {{ {_INTERACTION} }}
  }}
}}
"""


def filter_of(level: str | None, kinds: Sequence[str]) -> Mapping[str, object]:
    """The filter of both documents: this level and more urgent ones, of these kinds; None and nothing mean all."""
    wanted: dict[str, object] = {}
    if level is not None:
        wanted["levels"] = list(LEVELS[: LEVELS.index(level) + 1])
    if kinds:
        wanted["kinds"] = list(kinds)
    return wanted


def waiting(node: Mapping[str, Any]) -> Item:
    """The item of an interaction that waited when listening began."""
    attention = node["attention"]
    return {
        "change": WAITING,
        "topic": None,
        "at": attention["since"],
        "interactionId": node["id"],
        "kind": node["kind"],
        "levelAfter": attention["level"],
        "reasonAfter": attention["reason"],
        "interaction": node,
    }


def is_alert(item: Item) -> bool:
    """Whether somebody must be alerted: a customer waits now, waits more urgently, or wrote again."""
    if item["change"] in (WAITING, "ENTERED"):
        return True
    if item["change"] == "LEFT":
        return False
    return item["topic"] == "ATTENTION_RENEWED" or _urgency(item["levelAfter"]) > _urgency(item["levelBefore"])


def facts(item: Item) -> Mapping[str, str]:
    """The values that are safe in an environment or a command line: codes and ids, and nothing that a customer
    wrote."""
    return {
        "CHANGE": item["change"],
        "ID": item["interactionId"],
        "KIND": item["kind"] or "",
        "LEVEL": item["levelAfter"] or "",
        "REASON": item["reasonAfter"] or "",
        "TOPIC": item["topic"] or "",
    }


def line(item: Item) -> str:
    """The item in one line for a terminal."""
    told = facts(item)
    interaction = item["interaction"] or {}
    customer = plain((interaction.get("customer") or {}).get("name") or "")
    at = str(item["at"])[:19].replace("T", " ")
    columns = (at, f"{told['CHANGE']:7}", f"{told['LEVEL'] or '-':6}", f"{told['REASON'] or '-':16}", told["ID"])
    return "  ".join((*columns, customer)).rstrip()


def plain(text: str, most: int = 200) -> str:
    """The text in one line, without characters that control a terminal or reverse the direction of the text."""
    kept = "".join(" " if unicodedata.category(each).startswith(("C", "Z")) else each for each in text[: 4 * most])
    return " ".join(kept.split())[:most]


def _urgency(level: str | None) -> int:
    return 0 if level is None else len(LEVELS) - LEVELS.index(level)
