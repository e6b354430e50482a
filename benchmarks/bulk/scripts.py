"""The demo's dialogues, prepared so that a message of a bulk load costs no more than to pick it."""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

import orjson

from app.demo.texts import ENGLISH, OTHERS, Line

MOST_LINES = 40
_ENGLISH_SHARE = 0.6


class Ready(NamedTuple):
    """A line with the JSON of its contents. `holds_order`: `{order}` is still to be filled in, by `filled`."""

    of_customer: bool
    text: str
    contents: str
    holds_order: bool


@dataclass(frozen=True, slots=True)
class Script:
    """A dialogue that goes on for 40 lines. The tuples have a value for each number of lines, from 0 to 40.

    `with_customer_last` and `with_us_last` are the nearest numbers of lines that end so; `waiting` is how many lines of
    the customer's are at the end."""

    lines: tuple[Ready, ...]
    with_customer_last: tuple[int, ...]
    with_us_last: tuple[int, ...]
    waiting: tuple[int, ...]


def contents_of(text: str) -> str:
    """The stored form of a message of plain text."""
    return orjson.dumps([{"type": "text", "content": text}]).decode()


def filled(line: Ready, order: int) -> tuple[str, str]:
    """Text and contents with the number of the order."""
    text = line.text.replace("{order}", f"#{order}")
    return text, contents_of(text)


def any_script(random: Random) -> Script:
    """A dialogue at random, most of them in English."""
    scripts = _ENGLISH_SCRIPTS if random.random() < _ENGLISH_SHARE else SCRIPTS
    return scripts[int(random.random() * len(scripts))]


def _script(lines: tuple[Line, ...], others: tuple[tuple[Line, ...], ...]) -> Script:
    going_on = list(lines)
    while len(going_on) < MOST_LINES:
        for other in others:
            going_on.extend(other)
    ready = tuple(Ready(*line, contents_of(line.text), "{order}" in line.text) for line in going_on[:MOST_LINES])
    waiting = [0]
    for line in ready:
        waiting.append(waiting[-1] + 1 if line.of_customer else 0)
    numbers = range(MOST_LINES + 1)
    return Script(
        lines=ready,
        with_customer_last=tuple(_nearest(number, [at for at in numbers if waiting[at]]) for number in numbers),
        with_us_last=tuple(_nearest(number, [at for at in numbers[1:] if not waiting[at]]) for number in numbers),
        waiting=tuple(waiting),
    )


def _nearest(number: int, places: list[int]) -> int:
    return min(places, key=lambda place: (abs(place - number), place))


_ENGLISH_SCRIPTS = tuple(
    _script(lines, ENGLISH[place + 1 :] + ENGLISH[: place + 1]) for place, lines in enumerate(ENGLISH)
)
SCRIPTS = _ENGLISH_SCRIPTS + tuple(_script(lines, (lines,)) for lines in OTHERS)
