"""Random lives of interactions of all kinds against a slow reference: after every step all views agree with it.

`SWITCHBOARD_TEST_LIVES` is how many lives each database gets; they are the same each time, and others with each number.
The suite has a few, `scripts/lives` has hundreds."""

import asyncio
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.sizes import sized
from tests.waiting.conftest import fresh_floor
from tests.waiting.contracts import Contracts
from tests.waiting.lives import Lives

LIVES = int(os.environ.get("SWITCHBOARD_TEST_LIVES", sized(3, 5)))
STEPS = 30


@pytest.fixture
def lives(database_url: str) -> Iterator[type[Lives]]:
    """The machine on a floor of its own."""
    loop = asyncio.new_event_loop()
    opened = fresh_floor(database_url)
    floor = loop.run_until_complete(opened.__aenter__())

    class Here(Lives):
        pass

    Here.floor, Here.loop, Here.contracts = floor, loop, Contracts(floor.graph)
    yield Here
    loop.run_until_complete(Here.contracts.close())
    loop.run_until_complete(opened.__aexit__(None, None, None))
    loop.close()


def test_lives_of_interactions_are_seen_alike_everywhere(lives: type[Lives]) -> None:
    run_state_machine_as_test(
        lives,
        settings=settings(
            max_examples=LIVES,
            derandomize=True,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            print_blob=True,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
