"""Reactions to an alert: a line, a command, a desktop notification."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from xml.sax.saxutils import escape

import orjson

from app.listener.items import Item, facts, is_alert, plain

_APPLESCRIPT = (
    "on run argv",
    "display notification (item 2 of argv) with title (item 1 of argv)",
    "end run",
)
_NOTIFICATION_SECONDS = 5.0


class Command:
    """A program with its arguments, run for items one after another, without a shell that could interpret a customer's
    text."""

    def __init__(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        tell: Callable[[str], None],
        *,
        seconds: float,
        every_item: bool,
    ) -> None:
        self._words = words
        self._environment = environment
        self._tell = tell
        self._seconds = seconds
        self._every_item = every_item

    async def __call__(self, item: Item) -> None:
        """Run it with the item as JSON on its standard input, until it ends or its time is up. Reports a failure."""
        if not (self._every_item or is_alert(item)):
            return
        named = {f"ALERT_{name}": value for name, value in facts(item).items()}
        fault = await _run(self._words, {**self._environment, **named}, orjson.dumps(item), self._seconds)
        if fault is not None:
            self._tell(f"The command {fault} for {item['interactionId']}.")


class Notification:
    """A notification of the desktop."""

    def __init__(self, words: Callable[[str, str], Sequence[str]], environment: Mapping[str, str]) -> None:
        self._words = words
        self._environment = environment

    async def __call__(self, item: Item) -> None:
        """Show the item if it is an alert and the desktop allows it."""
        if not is_alert(item):
            return
        told = facts(item)
        title = f"{told['LEVEL']} {told['REASON']}".strip() or "Switchboard"
        customer = plain(((item["interaction"] or {}).get("customer") or {}).get("name") or "A customer")
        words = self._words(title, f"{customer} ({told['ID']})")
        await _run(words, self._environment, b"", _NOTIFICATION_SECONDS)


def notification(environment: Mapping[str, str]) -> Notification | None:
    """How this machine shows notifications; None when it cannot."""
    if (notify_send := shutil.which("notify-send")) is not None:
        # The text may contain markup there, and a leading dash would make it an option.
        head = [notify_send, "--app-name=Switchboard", "--"]
        return Notification(lambda title, text: [*head, title, escape(text)], environment)
    if (osascript := shutil.which("osascript")) is not None:
        # The text is an argument of the script, and never a part of it.
        script = [osascript, *(word for each in _APPLESCRIPT for word in ("-e", each))]
        return Notification(lambda title, text: [*script, title, text], environment)
    return None


async def _run(words: Sequence[str], environment: Mapping[str, str], given: bytes, seconds: float) -> str | None:
    """Run a program in its own process group. Returns what went wrong, or None."""
    try:
        process = await asyncio.create_subprocess_exec(
            *words,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=2,  # standard output is for items only
            start_new_session=True,
        )
    except OSError as error:
        return f"cannot be run ({error.strerror})"
    try:
        async with asyncio.timeout(seconds):
            await process.communicate(given)
    except TimeoutError:
        return f"took longer than {seconds:g} s, and was stopped,"
    finally:
        if process.returncode is None:
            # Together with all processes that it has started.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    return f"ended with status {process.returncode}" if process.returncode else None
