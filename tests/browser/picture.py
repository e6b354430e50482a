"""Takes the picture of the console for the README: the demo's queue, with an interaction open."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.browser.driver import CHROMIUM, running_browser
from tests.browser.test_console import ROWS, console, server_with_demo

FILE = Path(__file__).parents[2] / "docs" / "console.png"
WIDTH, HEIGHT = 1_080, 640
_OPENED = "document.querySelectorAll('main .text').length > 2"


async def take(file: Path) -> None:
    """Serve the demo, open its most urgent interaction, and write what is seen as a PNG."""
    with tempfile.TemporaryDirectory() as folder, running_browser() as browser:
        async with server_with_demo(Path(folder)) as (_, address), console(browser, address) as tab:
            await tab.call(
                "Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT, deviceScaleFactor=1, mobile=False
            )
            await tab.run(f"{ROWS}[0].querySelector('a, button').click()")
            await tab.until(_OPENED)
            await tab.screenshot(file)


if __name__ == "__main__":
    if CHROMIUM is None:
        sys.exit("Taking the picture needs Chromium.")
    asyncio.run(take(FILE))
