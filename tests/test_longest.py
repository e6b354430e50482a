"""What a parallel run begins with."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.longest import LONGEST, longest_first

ROOT = Path(__file__).parents[1]


def test_longest_modules_are_there() -> None:
    assert [path for path in LONGEST if not (ROOT / path).is_file()] == []


def test_longest_come_first_and_all_keep_their_order() -> None:
    paths = ("tests/a.py", LONGEST[1], "tests/b.py", LONGEST[0])
    items: Any = [SimpleNamespace(nodeid=f"{path}::test_{number}") for path in paths for number in range(2)]
    found = [each.nodeid for each in longest_first(items)]
    assert found == [f"{paths[place]}::test_{number}" for place in (1, 3, 0, 2) for number in range(2)]
