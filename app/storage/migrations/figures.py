"""Figures of reports as upgrades add them up."""

import json
from typing import Any


def add_figures(total: dict[str, Any], stored: str) -> None:
    """Add stored figures to a total.

    Counts are numbers; a duration is its count, its sum, and pairs of a class and how many are in it."""
    for name, value in json.loads(stored).items():
        if not isinstance(value, list):
            total[name] = total.get(name, 0) + value
            continue
        count, seconds, classes = total.get(name, (0, 0.0, {}))
        for place in range(2, len(value), 2):
            classes[value[place]] = classes.get(value[place], 0) + value[place + 1]
        total[name] = (count + value[0], seconds + value[1], classes)


def stored_figures(total: dict[str, Any]) -> str:
    """The total as figures are stored."""
    found: dict[str, Any] = {}
    for name, value in total.items():
        if isinstance(value, tuple):
            count, seconds, classes = value
            pairs = (each for pair in sorted(classes.items()) for each in pair)
            found[name] = [count, round(seconds, 3), *pairs]
        else:
            found[name] = value
    return json.dumps(found, separators=(",", ":"))
