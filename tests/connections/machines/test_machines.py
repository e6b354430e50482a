"""Random lives of an outbox and of an inbox, each against a plain model that says after every step what has to be.

`SWITCHBOARD_TEST_LIVES` is how many lives each database gets; they are the same each time, and others with each number.
"""

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from structlog.testing import capture_logs

from app.registry import CONNECTORS
from app.settings import Settings
from app.storage.database import open_database
from tests.conftest import CountingIds, ManualClock
from tests.connections.conftest import KEYS, RULES
from tests.connections.machines.inbox import InboxMachine
from tests.connections.machines.outbox import OutboxMachine
from tests.connections.machines.platform import Platform
from tests.kinds.conftest import store_users
from tests.sizes import sized

LIVES = int(os.environ.get("SWITCHBOARD_TEST_LIVES", sized(3, 8)))
STEPS = 50


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    with asyncio.Runner() as runner:
        yield runner.get_loop()


@pytest.fixture
def opened(loop: asyncio.AbstractEventLoop, database_url: str, clock: ManualClock, ids: CountingIds) -> Iterator[Any]:
    given = Settings.model_validate({"secrets_key": KEYS[0]})
    database = loop.run_until_complete(open_database(database_url, clock=clock, ids=ids, settings=given, kinds=RULES))
    loop.run_until_complete(database.command(store_users))
    yield database
    loop.run_until_complete(database.close())


def live(machine: type[RuleBasedStateMachine]) -> None:
    # Each fault of ours is logged with all that was known of it.
    with capture_logs():
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=LIVES,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                derandomize=True,
                phases=(Phase.generate,),
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_lives_of_an_outbox_send_nothing_twice_and_lose_nothing(
    loop: asyncio.AbstractEventLoop, opened: Any, clock: ManualClock
) -> None:
    class Here(OutboxMachine):
        pass

    remote = CONNECTORS["VOICEBOT"].remote
    assert remote is not None
    Here.loop, Here.database, Here.clock, Here.remote, Here.platform = loop, opened, clock, remote, Platform(clock)
    live(Here)


def test_lives_of_an_inbox_apply_everything_once_and_in_order(
    loop: asyncio.AbstractEventLoop, opened: Any, clock: ManualClock
) -> None:
    class Here(InboxMachine):
        pass

    Here.loop, Here.database, Here.clock = loop, opened, clock
    live(Here)
