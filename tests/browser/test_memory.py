"""A page that is open for days: what was shown and is gone leaves nothing in it, as `./scripts/soak page` shows."""

from pathlib import Path

import pytest

from tests.browser.driver import Browser
from tests.browser.test_console import server_with_demo
from tests.soak.page import PAGES, Work, open_page, repeated

pytestmark = pytest.mark.anyio

ROUNDS = 3


async def test_pages_hold_no_more_after_rounds_of_work_and_breaks(browser: Browser, tmp_path: Path) -> None:
    async with server_with_demo(tmp_path) as (server, address):
        work = Work(server.port)
        await work.begin()
        for path, once in PAGES.items():
            async with browser.open_tab() as tab:
                await open_page(tab, address, path)
                before, after = await repeated(tab, work, once, ROUNDS, first=1)
            assert after.is_back_at(before), (path, str(before), str(after))
