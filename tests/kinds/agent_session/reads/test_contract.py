"""How far one page of the contract looks for what its filter accepts."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, cast

import pytest

from app.kinds.agent_session.reads.contract import Scanning, list_agents, list_sessions

LISTS = pytest.mark.parametrize("name", ["agents", "sessions"])


class Stored:
    """Agents or sessions by id, which are read in place of a database's; it counts the reads of them."""

    permissions = None

    def __init__(self, name: str, texts: Mapping[int, tuple[str, str | None]]) -> None:
        # Agents are listed in the order in which they were made, sessions the newest first.
        self._forward = name == "agents"
        self._list = cast("Any", list_agents if self._forward else list_sessions)
        self._name = name
        self._rows = [(number, *text, "{}") for number, text in sorted(texts.items(), reverse=not self._forward)]
        self.reads = 0

    def query(self, name: Hashable, build: object, **values: Any) -> Sequence[tuple[object, ...]]:
        if name == "agent":
            return [(1,)]
        self.reads += 1
        place = values["place"]
        following = [row for row in self._rows if (row[0] > place if self._forward else row[0] < place)]
        return following[: values["size"]]

    def pages(self, limits: Scanning, pattern: str | None) -> list[list[int]]:
        """The ids on all pages, of ten at most."""
        found: list[list[int]] = []
        arguments = {"agent_key": "a", "limit": 10, "filter": pattern, "page_key": None}
        while True:
            reading = self._list(self, None, arguments, limits)
            try:
                rows = next(reading)
                while True:
                    rows = reading.send(rows)
            except StopIteration as read:
                page = read.value
            found.append(page[self._name])
            if page["page_key"] is None:
                return found
            arguments["page_key"] = page["page_key"]


def numbered(name: str, count: int, found: Mapping[int, tuple[str, str | None]]) -> Stored:
    """So many things that no filter accepts but those which are `found`, by their place in the list."""
    order = range(1, count + 1) if name == "agents" else range(count, 0, -1)
    return Stored(name, {number: found.get(place, ("other", None)) for place, number in enumerate(order)})


def places(name: str, count: int, pages: list[list[int]]) -> list[list[int]]:
    return [[number - 1 if name == "agents" else count - number for number in page] for page in pages]


@LISTS
def test_agent_contract_page_looks_through_so_many_rows_and_no_more(name: str) -> None:
    stored = numbered(name, 13, {1: ("found", None), 10: ("other", "it is found")})
    pages = stored.pages(Scanning(rows=4, batch=2), "found")
    assert places(name, 13, pages) == [[1], [], [10], []]
    assert stored.reads == 2 + 2 + 2 + 1


@LISTS
def test_agent_contract_page_looks_for_so_long_and_no_longer(name: str) -> None:
    stored = numbered(name, 4, dict.fromkeys(range(3), ("x", None)))
    assert places(name, 4, stored.pages(Scanning(seconds=0.0), "x")) == [[0], [1], [2], [], []]
    # Without a filter nothing is matched, so there is nothing to wait for.
    assert places(name, 4, stored.pages(Scanning(seconds=0.0), None)) == [[0, 1, 2, 3]]


@LISTS
def test_agent_contract_page_looks_through_so_much_text_and_no_more(name: str) -> None:
    stored = numbered(name, 5, dict.fromkeys(range(4), ("", "x" * 600)))
    assert places(name, 5, stored.pages(Scanning(characters=1_000), "x")) == [[0, 1], [2, 3], []]
    assert places(name, 5, stored.pages(Scanning(characters=1_000), None)) == [[0, 1, 2, 3, 4]]


@LISTS
def test_agent_contract_page_is_looked_for_in_large_batches(name: str) -> None:
    stored = numbered(name, 150, {149: ("found", None)})
    assert places(name, 150, stored.pages(Scanning(), "found")) == [[149]]
    assert stored.reads == 2
