"""What holds for every event of the product."""

from collections.abc import Sequence
from typing import get_type_hints

from app.core.events import declared_events
from app.interactions.meaning import InteractionEvent
from app.registry import KINDS

NUMBERS = (int, bool, int | None)
CODES = {
    "reason_before": str | None,
    "reason_after": str | None,
    "suggested_message": str,
    "changed": Sequence[str],
    "action": str,
    "fields": Sequence[str],
    "step": str,
    "destination_ids": Sequence[int],
    "ref": str,
    "issuer": str,
    "reason": str,
    "permission": str | None,
}
"""The fields of text: codes of ours, global ids, names of fields and addresses in the settings; a deletion leaves them
in the log."""

EVENTS = [each for each in declared_events() if each.__module__.startswith("app.")]


def test_no_event_holds_words() -> None:
    assert len(EVENTS) > 70
    for each in EVENTS:
        hints = get_type_hints(each)
        for name in each.names:
            assert hints[name] in NUMBERS or CODES.get(name) == hints[name], (each, name)


def test_the_events_of_one_kind_are_declared_in_its_folder() -> None:
    for each in EVENTS:
        family = each.topic.partition(".")[0]
        if family in {kind.rules.name for kind in KINDS}:
            assert each.__module__ == f"app.kinds.{family}.events"


def test_every_event_says_what_happened() -> None:
    for each in EVENTS:
        assert each.__doc__, each
        assert each.__doc__.endswith("."), each
        if each.topic.startswith("*."):
            assert issubclass(each, InteractionEvent)
