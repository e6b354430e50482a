"""The one loop of a process's asynchronous tests, given to each as clean as a new one."""

import asyncio
from asyncio import runners
from types import TracebackType
from typing import Any, Self

import pytest
from anyio._backends._asyncio import AsyncIOBackend, TestRunner


class LastingRunner(TestRunner):
    """What runs asynchronous tests and their fixtures; entered when the first of them begins, left after the last.

    anyio would make a loop each time. Here all that closing a loop ends is ended, but the loop stays, so that
    connections to PostgreSQL can be kept from test to test."""

    loop: asyncio.AbstractEventLoop | None = None
    """The loop, after the first test that is asynchronous."""

    def __enter__(self) -> Self:
        super().__enter__()
        self.loop = self.get_loop()
        asyncio.set_event_loop(self.loop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop: Any = self.get_loop()
        runners._cancel_all_tasks(loop)  # type: ignore[attr-defined]
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        for number in list(loop._signal_handlers):
            loop.remove_signal_handler(number)
        for timer in loop._scheduled:
            timer.cancel()
        # As a new loop has them.
        loop._asyncgens_shutdown_called = loop._executor_shutdown_called = False
        loop._default_executor = None
        self._runner_task = None
        self._exceptions = []
        asyncio.set_event_loop(None)

    def end(self) -> None:
        """Close the loop."""
        self._runner.close()


lasting = LastingRunner()


def keep_loop(patch: pytest.MonkeyPatch) -> None:
    """Run all asynchronous tests of the process in one loop."""
    patch.setattr(AsyncIOBackend, "create_test_runner", lambda options: lasting)
