"""What an examination finds."""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple


class State(Enum):
    """How serious a finding is. With a FAULT, the server does not work, or will soon stop working."""

    OK = "ok"
    WARNING = "warning"
    FAULT = "FAULT"


class Finding(NamedTuple):
    """One line of a report. `advice` says what to do; it is empty when there is nothing to do."""

    state: State
    topic: str
    text: str
    advice: str = ""

    @property
    def lines(self) -> Iterator[str]:
        """As the command line shows it."""
        yield f"{self.state.value:<8} {self.topic:<12} {self.text}"
        if self.advice:
            yield f"{'':<21} -> {self.advice}"


def ok(topic: str, text: str) -> Finding:
    """Nothing to do."""
    return Finding(State.OK, topic, text)


def warning(topic: str, text: str, advice: str) -> Finding:
    """Works, but not as a deployment should."""
    return Finding(State.WARNING, topic, text, advice)


def fault(topic: str, text: str, advice: str) -> Finding:
    """Does not work."""
    return Finding(State.FAULT, topic, text, advice)
