"""Headless Chromium, driven over its DevTools protocol; without a way to any host but the server's."""

import asyncio
import base64
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import orjson
from websockets.asyncio.client import ClientConnection, connect

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""The browser of this machine, if it has one."""

PATIENCE = 60.0
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
    "--window-size=1400,900",
)


class Tab:
    """An open page. `requests` are the addresses that it asked for, `errors` what its console complained of."""

    def __init__(self, connection: ClientConnection) -> None:
        self.requests: list[str] = []
        self.errors: list[str] = []
        self._connection = connection
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._number = 0
        self._reading = asyncio.create_task(self._read())

    async def open(self, url: str) -> None:
        """Go to an address."""
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=url)

    async def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"]["exception"].get("description"))
        return answer["result"].get("value")

    async def until(self, script: str) -> Any:
        """Wait until an expression is true, and return its value."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(AssertionError):
                    if found := await self.run(script):
                        return found
                await asyncio.sleep(0.05)

    async def press(self, key: str, code: str, *, number: int, ctrl: bool = False) -> None:
        """Press a key wherever the focus is."""
        for type_ in ("rawKeyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent",
                type=type_,
                key=key,
                code=code,
                windowsVirtualKeyCode=number,
                modifiers=2 if ctrl else 0,
            )

    async def write(self, text: str) -> None:
        """Put text in wherever the focus is."""
        await self.call("Input.insertText", text=text)

    async def screenshot(self, path: Path) -> None:
        answer = await self.call("Page.captureScreenshot")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(answer["data"]))

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser for something of its protocol."""
        self._number += 1
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[self._number] = future
        await self._connection.send(orjson.dumps({"id": self._number, "method": method, "params": parameters}).decode())
        async with asyncio.timeout(PATIENCE):
            return await future

    async def close(self) -> None:
        self._reading.cancel()
        await asyncio.wait([self._reading])

    async def _read(self) -> None:
        async for text in self._connection:
            message = orjson.loads(text)
            if (future := self._answers.pop(message.get("id"), None)) is not None:
                future.set_result(message.get("result", {}))
            elif message.get("method") == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            elif message.get("method") == "Network.webSocketCreated":
                self.requests.append(message["params"]["url"])
            elif message.get("method") == "Runtime.exceptionThrown":
                self.errors.append(str(message["params"]["exceptionDetails"].get("exception", {}).get("description")))
            elif message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.errors.append(str(message["params"]["entry"].get("text")))


@asynccontextmanager
async def open_tab() -> AsyncIterator[Tab]:
    """A tab of a new browser with an empty profile."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(prefix="switchboard-browser-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            CHROMIUM,
            *_OPTIONS,
            f"--user-data-dir={profile}",
            "about:blank",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            port = await _port(Path(profile) / "DevToolsActivePort", process)
            async with connect(await _page(port), max_size=None, compression=None) as connection:
                tab = Tab(connection)
                try:
                    yield tab
                finally:
                    await tab.close()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)  # it starts others
            await process.wait()


async def _port(file: Path, process: asyncio.subprocess.Process) -> int:
    async with asyncio.timeout(PATIENCE):
        while True:
            assert process.returncode is None, "the browser did not start"
            with suppress(OSError, IndexError, ValueError):
                return int((await asyncio.to_thread(file.read_text)).split("\n")[0])
            await asyncio.sleep(0.02)


async def _page(port: int) -> str:
    """The address under which the first tab is spoken to."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for target in await asyncio.to_thread(_targets, port):
                if target["type"] == "page":
                    return str(target["webSocketDebuggerUrl"])
            await asyncio.sleep(0.02)


def _targets(port: int) -> list[dict[str, Any]]:
    with urlopen(f"http://127.0.0.1:{port}/json/list", timeout=PATIENCE) as answer:
        found: list[dict[str, Any]] = orjson.loads(answer.read())
        return found
