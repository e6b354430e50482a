import pytest

from tests.browser.driver import CHROMIUM


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the tests of the pages out where there is no browser to look at them with."""
    if CHROMIUM is None:
        without = pytest.mark.skip(reason="needs Chromium, which is optional")
        for item in items:
            if "tests/browser" in item.path.as_posix():
                item.add_marker(without)
