"""Checks of the clients that run in Python, written so that the runner can count them; it needs nothing but Python."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version


class Checks:
    """The checks of one client."""

    def __init__(self, client: str) -> None:
        self._client = client
        self._passed = 0
        self._total = 0

    @contextmanager
    def check(self, name: str) -> Iterator[list[str]]:
        """Run the block as one check; when it fails, that is reported and the next one follows. What the block appends
        to the list is added to the name."""
        self._total += 1
        more: list[str] = []
        try:
            yield more
        except Exception:
            _say(f"! {name}")
            traceback.print_exc()
        else:
            self._passed += 1
            _say(f"- {', '.join([name, *more])}")

    def finish(self) -> int:
        """Write the last line, by which the runner counts; the status to exit with."""
        is_satisfied = self._passed == self._total
        word = "ok" if is_satisfied else "failed"
        _say(f"{word} {self._passed}/{self._total} {self._client} {version(self._client)}")
        return 0 if is_satisfied else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
