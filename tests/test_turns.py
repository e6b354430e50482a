"""Which tests a usual run leaves out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain, product
from types import SimpleNamespace
from typing import Any

import pytest

from tests.sizes import sized
from tests.turns import left_out, turns_of

VALUES = range(8)
DATABASES = ("sqlite", "postgres")


@dataclass(eq=False)
class Collected:
    """What pytest collects, as far as it is looked at."""

    nodeid: str
    callspec: SimpleNamespace
    database: str
    given: Sequence[int]
    mark: str | None

    def get_closest_marker(self, name: str) -> bool | None:
        return True if name == self.mark else None


def collected(
    *values: Collection[int], path: str = "tests/http/test_x.py", name: str = "test_x", mark: str | None = None
) -> Any:
    """A function with a database and a parameter for each of the collections."""
    found = []
    for database in DATABASES:
        for given in product(*values):
            params = {"database_url": database, **{f"p{place}": value for place, value in enumerate(given)}}
            callspec = SimpleNamespace(params=params, id="-".join(map(str, params.values())))
            found.append(Collected(f"{path}::{name}[{callspec.id}]", callspec, database, given, mark))
    return found


def kept(tests: Any) -> list[tuple[str, Sequence[int]]]:
    out = left_out(tests)
    return [(each.database, each.given) for each in tests if each not in out]


def test_values_are_each_tried_on_one_database_and_on_both_in_all() -> None:
    found = kept(collected(VALUES))
    assert {given for _, given in found} == {(value,) for value in VALUES}
    assert len(found) == len(VALUES)
    assert [database for database, _ in found].count("sqlite") == len(VALUES) / 2


@pytest.mark.parametrize("sorts", [2, 3, 4])
def test_values_of_each_sort_are_tried_on_both_databases(sorts: int) -> None:
    found = kept(collected(VALUES, range(sorts)))
    assert {given for _, given in found} == set(product(VALUES, range(sorts)))
    assert len(found) == len(VALUES) * sorts
    for place, values in enumerate((VALUES, range(sorts))):
        assert {(database, given[place]) for database, given in found} == set(product(DATABASES, values))


def test_two_values_are_tried_on_one_database_each_and_one_on_both() -> None:
    assert kept(collected(range(2))) == [("sqlite", (0,)), ("postgres", (1,))]
    assert len(kept(collected(range(1)))) == 2
    assert len(kept(collected())) == 2


def test_values_of_what_databases_decide_are_tried_on_both() -> None:
    assert len(kept(collected(VALUES, mark="both_databases"))) == 2 * len(VALUES)
    assert len(kept(collected(VALUES, path="tests/storage/test_x.py"))) == 2 * len(VALUES)


def test_tests_of_a_module_above_sql_are_each_tried_on_one_database() -> None:
    tests = [collected(name=f"test_{name}", mark="one_database_each") for name in "abcd"]
    assert [database for database, _ in kept([*chain(*tests)])] == ["sqlite", "postgres", "postgres", "sqlite"]
    assert len(kept(tests[0])) == 2
    assert len(kept([*chain(*tests), *collected(mark="both_databases")])) == len(tests) + 2


def test_values_that_were_chosen_are_tried_where_they_were() -> None:
    chosen = [each for each in collected(VALUES) if each.database == "postgres"]
    assert kept(chosen) == [("postgres", (value,)) for value in VALUES]


def test_values_that_a_test_goes_through_are_each_tried_on_one_database() -> None:
    on_sqlite, on_postgres = (turns_of(f"{database}:///x", VALUES) for database in DATABASES)
    assert sorted([*on_sqlite, *on_postgres]) == sized(list(VALUES), sorted([*VALUES, *VALUES]))
    assert len(on_sqlite) == len(on_postgres)
