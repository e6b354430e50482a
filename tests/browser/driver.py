"""Headless Chromium, driven over its DevTools protocol; without a way to any host but the server's."""

import asyncio
import base64
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""The browser of this machine, if it has one."""

PATIENCE = 60.0
_WIDTH, _HEIGHT = 1_400, 900
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
    # Tabs that are open at once all have the time of one that is looked at.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
)


class Tab:
    """An open page. `requests` are the addresses that it asked for, `errors` what its console complained of, and
    `workers` the registrations of service workers, once it was asked for those."""

    def __init__(self, connection: ClientConnection) -> None:
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.workers: list[str] = []
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
        """Ask the browser for something of its protocol. Raises AssertionError when it refuses."""
        self._number += 1
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[self._number] = future
        await self._connection.send(orjson.dumps({"id": self._number, "method": method, "params": parameters}).decode())
        async with asyncio.timeout(PATIENCE):
            answer = await future
        assert "error" not in answer, (method, answer["error"])
        found: dict[str, Any] = answer["result"]
        return found

    async def close(self) -> None:
        self._reading.cancel()
        await asyncio.wait([self._reading])

    async def _read(self) -> None:
        async for text in self._connection:
            message = orjson.loads(text)
            if (future := self._answers.pop(message.get("id"), None)) is not None:
                future.set_result(message)
            elif message.get("method") == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            elif message.get("method") == "Network.webSocketCreated":
                self.requests.append(message["params"]["url"])
            elif message.get("method") == "Runtime.exceptionThrown":
                self.errors.append(str(message["params"]["exceptionDetails"].get("exception", {}).get("description")))
            elif message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
                self.errors.append(str(message["params"]["entry"].get("text")))
            elif message.get("method") == "ServiceWorker.workerRegistrationUpdated":
                self.workers += [each["registrationId"] for each in message["params"]["registrations"]]


class Browser:
    """A running browser."""

    def __init__(self, address: str) -> None:
        self._address = address
        """Where its DevTools listen, as `ws://host:port`, and the way to the browser as a whole."""

    @asynccontextmanager
    async def open_tab(self, permissions: Sequence[str] = ()) -> AsyncIterator[Tab]:
        """A tab with an empty profile of its own, which is gone after the block; its pages have the permissions."""
        async with self._speak(self._address) as browser:
            profile = await browser.call("Target.createBrowserContext", disposeOnDetach=True)
            page = await browser.call(
                "Target.createTarget", url="about:blank", newWindow=True, width=_WIDTH, height=_HEIGHT, **profile
            )
            if permissions:
                await browser.call("Browser.grantPermissions", permissions=permissions, **profile)
            host = self._address.partition("/devtools")[0]
            async with self._speak(f"{host}/devtools/page/{page['targetId']}") as tab:
                yield tab
            await browser.call("Target.disposeBrowserContext", **profile)

    @asynccontextmanager
    async def speak_to_worker(self, url: str) -> AsyncIterator[Tab]:
        """A service worker that runs or starts, by the address of its script; it runs until the block ends."""
        found: list[str] = []
        async with self._speak(self._address) as browser, asyncio.timeout(PATIENCE):
            while not found:
                targets = (await browser.call("Target.getTargets"))["targetInfos"]
                found = [each["targetId"] for each in targets if (each["type"], each["url"]) == ("service_worker", url)]
                await asyncio.sleep(0.05)
        async with self._speak(f"{self._address.partition('/devtools')[0]}/devtools/page/{found[0]}") as worker:
            yield worker

    @asynccontextmanager
    async def _speak(self, address: str) -> AsyncIterator[Tab]:
        async with connect(address, max_size=None, compression=None) as connection:
            found = Tab(connection)
            try:
                yield found
            finally:
                await found.close()


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A new browser for as long as the block lasts."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(prefix="switchboard-browser-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [CHROMIUM, *_OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield Browser(_address(Path(profile) / "DevToolsActivePort", process))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)  # it starts others
            process.wait()


def _address(file: Path, process: "subprocess.Popen[bytes]") -> str:
    until = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, "the browser did not start"
        with suppress(OSError, ValueError):
            port, path = file.read_text().split("\n")
            return f"ws://127.0.0.1:{int(port)}{path}"
        assert time.monotonic() < until, "the browser did not start in time"
        time.sleep(0.02)
