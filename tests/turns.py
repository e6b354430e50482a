"""Which tests are tried on both databases, and which on one of them in turn."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import TypeVar

import pytest

from tests.sizes import sized

T = TypeVar("T")

BOTH = "both_databases"
"""The mark of tests whose values are each worth a try on both, because SQL decides what comes of them."""

EACH = "one_database_each"
"""The mark of modules about what lies above the services, such as other systems: SQL is the same in all their tests."""

_DATABASES = ("sqlite", "postgres")
_ABOUT_DATABASES = ("tests/feed/", "tests/scheduler/", "tests/selection/", "tests/storage/")


def left_out(items: Sequence[pytest.Item]) -> Collection[pytest.Item]:
    """The tests that a usual run leaves out.

    Of a function that is tried with several values on both databases each value is tried on one of them; so is each
    test of a module that is marked. Which one, goes by how many ones its number has in binary: so none of several sorts
    of values is tried on one database alone."""
    functions: defaultdict[str, defaultdict[str, dict[str, pytest.Item]]] = defaultdict(lambda: defaultdict(dict))
    for item in items:
        if (database := _database(item)) is not None and not _wants_both(item):
            function, values = item.nodeid.partition("[")[0], _values(item, database)
            if item.get_closest_marker(EACH) is None:
                functions[function][values][database] = item
            else:
                functions[item.nodeid.partition("::")[0]][f"{function}[{values}]"][database] = item
    return {
        test
        for values in functions.values()
        if len(values) > 1
        for number, on in enumerate(values.values())
        if len(on) == len(_DATABASES)
        for database, test in on.items()
        if database != _whose_turn(number)
    }


def turns_of(database_url: str, values: Sequence[T]) -> Sequence[T]:
    """The same for a test that goes through its values itself: those to try on this database."""
    database = "sqlite" if database_url.startswith("sqlite") else "postgres"
    return sized([value for number, value in enumerate(values) if database == _whose_turn(number)], list(values))


def _whose_turn(number: int) -> str:
    return _DATABASES[number.bit_count() % 2]


def _database(item: pytest.Item) -> str | None:
    """The database that a fixture makes for the test."""
    callspec = getattr(item, "callspec", None)
    given = {} if callspec is None else callspec.params
    found = [value for name, value in given.items() if name.endswith("url") and value in _DATABASES]
    return found[0] if len(found) == 1 else None


def _values(item: pytest.Item, database: str) -> str:
    """What pytest calls the values that the test is given beside its database."""
    names: list[str] = getattr(item, "callspec").id.split("-")  # noqa: B009 - only some items have it
    names.remove(database)
    return "-".join(names)


def _wants_both(item: pytest.Item) -> bool:
    return item.get_closest_marker(BOTH) is not None or item.nodeid.startswith(_ABOUT_DATABASES)
