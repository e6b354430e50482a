import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.driver import CHROMIUM, Browser, running_browser
from tests.soak.processes import processes

DATABASE = "switchboard.db"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the tests of the pages out where there is no browser to look at them with."""
    if CHROMIUM is None:
        without = pytest.mark.skip(reason="needs Chromium, which is optional")
        for item in items:
            if "tests/browser" in item.path.as_posix():
                item.add_marker(without)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests: each opens tabs of its own in it."""
    with running_browser() as running:
        yield running


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database that a server leaves that has loaded the demo and stopped."""
    folder = tmp_path_factory.mktemp("demo")

    async def load() -> None:
        async with processes(1, f"sqlite:///{folder}/{DATABASE}", folder):
            pass

    asyncio.run(load())
    return folder / DATABASE


@pytest.fixture(autouse=True)
def loaded(demo: Path, tmp_path: Path) -> None:
    """The test's server finds the demo loaded."""
    shutil.copyfile(demo, tmp_path / DATABASE)
