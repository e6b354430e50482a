"""The page of reports in a browser, over the demo."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.browser.conftest import DATABASE
from tests.browser.driver import PATIENCE, Browser
from tests.browser.test_console import assert_own, has, server_with_demo
from tests.soak.processes import KEY

pytestmark = pytest.mark.anyio

ROWS = "document.querySelectorAll('.report-table tbody tr').length"
SIZES = ((1_400, 900), (700, 450), (400, 800))
CHOOSE = """(() => {{
  const choice = document.querySelector('.asked [name={name}]');
  choice.value = '{value}';
  choice.dispatchEvent(new Event('change', {{ bubbles: true }}));
}})()"""
SAVED = """(() => {
  globalThis.saved = [];
  const create = URL.createObjectURL;
  URL.createObjectURL = (blob) => (blob.text().then((text) => saved.push(text)), create.call(URL, blob));
  document.querySelector('.report-head button').click();
})()"""


async def counted(folder: Path) -> None:
    """Wait until the server has counted what the demo has marked."""
    async with asyncio.timeout(PATIENCE):
        with closing(sqlite3.connect(folder / DATABASE)) as connection:
            while True:
                if connection.execute("SELECT count(*) FROM mark WHERE due").fetchone() == (0,):
                    return
                await asyncio.sleep(0.1)


async def test_reports_show_the_figures_of_the_demo_by_what_is_chosen(browser: Browser, tmp_path: Path) -> None:
    async with server_with_demo(tmp_path) as (_, address), browser.open_tab() as tab:
        await counted(tmp_path)
        await tab.open(f"{address}/reports#key={quote(KEY)}")
        await tab.until(f"{ROWS} === 31")
        assert await tab.run("document.querySelectorAll('.columns rect').length") == 30
        answered = int(await tab.run("document.querySelector('.report-table tbody td').textContent"))
        assert answered > 20
        for width, height in SIZES:
            await tab.call(
                "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
            )
            assert await tab.run("document.documentElement.scrollWidth <= innerWidth")
        await tab.call("Emulation.clearDeviceMetricsOverride")

        await tab.run("document.querySelector('.asked [name=by]').focus()")
        await tab.run(CHOOSE.format(name="by", value="KIND"))
        await tab.until(f"{ROWS} === 5 && {has('Live chat')}")
        assert await tab.run("document.activeElement.name") == "by"
        assert await tab.run("location.hash") == "#by=KIND"
        whole = await tab.run("[...document.querySelectorAll('.line-value')].map((each) => Number(each.textContent))")
        assert sum(whole) == answered

        await tab.run(CHOOSE.format(name="kind", value="CONVERSATION"))
        await tab.until(f"{ROWS} === 2")
        await tab.run(SAVED)
        csv = (await tab.until("globalThis.saved.at(-1)")).lstrip("\ufeff").split("\r\n")
        assert csv[0].startswith("kind,first_response_count,")
        assert (csv[1].split(",")[0], csv[2:]) == ("CONVERSATION", [""])

        await tab.run("globalThis.isOld = true; location.reload()")
        await tab.until(f"!globalThis.isOld && {ROWS} === 2")
        await tab.run(CHOOSE.format(name="range", value="own"))
        await tab.until("document.querySelector('.asked [name=from]') !== null")
        await tab.run(CHOOSE.format(name="to", value="2001-01-01"))
        await tab.until("document.querySelector('.reports .fault').textContent !== ''")
        assert_own(tab, address)
        assert tab.errors == []
