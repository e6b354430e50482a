"""What a parallel run begins with: what takes longest, so that none of it is left when others have nothing to do."""

from collections.abc import Sequence

import pytest

LONGEST = (
    "tests/fifth_kind/test_fifth_kind.py",
    "tests/commands/test_serving.py",
    "tests/demo/test_attached.py",
    "tests/feed/test_nothing_is_lost.py",
    "tests/oracle/test_oracle.py",
    "tests/graph/test_copies.py",
    "tests/graph/test_flatness.py",
    "tests/storage/test_replicas.py",
    "tests/storage/test_migrations.py",
    "tests/storage/test_migration_steps.py",
    "tests/scheduler/test_processes.py",
    "tests/destinations/test_deadlines.py",
    "tests/reports/test_against_reference.py",
    "tests/test_postgres_server.py",
)
"""Modules with a test of several seconds, most of which wait for other processes."""


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests of these modules, and then all others in the order that they have."""
    return sorted(items, key=lambda item: item.nodeid.partition("::")[0] not in LONGEST)
