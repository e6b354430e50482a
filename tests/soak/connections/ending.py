"""What has to be at the end of a run: nothing is left to do, nothing is lost, and history has woken nobody."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.connections.tables import AGAIN, IS_ACTIVE, PARKED, PENDING, dirty, in_state, inbox, outbox
from app.storage.database import Work
from tests.soak.connections.comparing import Both
from tests.soak.connections.notes import Noted
from tests.soak.log import facts_of, stored_after


@dataclass
class Said:
    """What was said on each side, as it was acknowledged, and what was done and refused there by commands."""

    here: set[str] = field(default_factory=set)
    there: set[str] = field(default_factory=set)
    refused: int = 0
    done: int = 0
    failures: list[str] = field(default_factory=list)
    doomed: set[str] = field(default_factory=set)
    notes: Noted = field(default_factory=Noted)


def left(work: Work) -> list[str]:
    """What has not been done yet."""
    asked = {
        "outbox": outbox.select().where(IS_ACTIVE),
        "inbox": inbox.select().where(in_state(PENDING)),
        "parked deliveries": inbox.select().where(in_state(PARKED)),
        "marks": dirty.select().where(dirty.c.fingerprint.is_distinct_from(AGAIN)),
    }
    counts = {name: len(work.connection.execute(select).all()) for name, select in asked.items()}
    return [f"{count} are left in the {name}" for name, count in counts.items() if count]


def unsaid(found: Sequence[Both], said: Said) -> list[str]:
    """Where what was acknowledged is not on its side exactly once."""
    faults = []
    for side, texts in (("there", said.there), ("here", said.here)):
        counts = Counter(
            message["text"]
            for each in found
            for node in (each.there if side == "there" else each.here).values()
            for message in node["messages"]["nodes"]
        )
        wrong = sorted(text for text in texts if counts[text] != 1)
        faults += [f"{text!r} was said {side} and is there {counts[text]} times" for text in wrong]
    return faults


async def woken(old: Mapping[str, Sequence[str]], found: Sequence[Both], cursor: str, database_url: str) -> list[str]:
    """Where what was over before the connection asked, or asks, for somebody here."""
    told = facts_of((await stored_after(cursor, database_url)).events, "attentionChanged", None)
    faults = []
    for each in found:
        for key in old[each.system.name]:
            node = each.here.get(key)
            if node is not None and (node["attention"]["needed"] or node["id"] in told):
                faults.append(f"{each.system.name}: {key} was over, and {node['attention']} {told.get(node['id'])}")
    return faults
