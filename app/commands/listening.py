"""The command `listen`."""

import asyncio
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from app.commands.keys import listed
from app.terminal import CommandError, console

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from app.listener.following import Follower
    from app.listener.items import Item

KEY = "LISTEN_KEY"
"""The variable that holds the key. It does not begin like the variables of settings, which refuse unknown names."""


def listen(
    *,
    url: Annotated[str, Parameter(env_var="LISTEN_URL")] = "http://127.0.0.1:8000/graphql",
    key_file: Path | None = None,
    cursor_file: Path | None = None,
    level: Literal["URGENT", "HIGH", "NORMAL", "LOW"] | None = None,
    kind: str | None = None,
    exec: str | None = None,
    exec_seconds: float = 30.0,
    exec_all: bool = False,
    notify: bool = False,
    json: bool = False,
) -> None:
    """Write alerts to standard output as they come, from any Switchboard; the key is in `LISTEN_KEY`.

    Parameters
    ----------
    url
        The address of the graph.
    key_file
        A file that holds the key, in place of the variable.
    cursor_file
        Where the place in the alerts is kept, so that the next start goes on there.
    level
        Only this level and those that are more urgent.
    kind
        Only these kinds, separated by commas, such as `CONVERSATION,CHAT_SESSION`.
    exec
        A command that is run for each alert, with the item as JSON on its standard input.
    exec_seconds
        How long the command may take before it is stopped.
    exec_all
        Run the command for every item, also when an alert is over.
    notify
        Show alerts as notifications of the desktop.
    json
        Write each item as a line of JSON.
    """
    from app.listener.faults import Refused

    follower = _follower(
        url, _key(key_file), cursor_file, level, kind, exec, exec_seconds, exec_all=exec_all, notify=notify, json=json
    )
    try:
        asyncio.run(follower.run())
    except Refused as refused:
        raise CommandError(f"{url}: {refused}") from None
    except BrokenPipeError:
        # The reader of the lines is gone. Python would report an error about the rest when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        raise CommandError(f"The cursor cannot be kept: {error}") from None
    except KeyboardInterrupt:
        sys.exit(130)


def _follower(
    url: str,
    key: str,
    cursor_file: Path | None,
    level: str | None,
    kinds: str | None,
    command: str | None,
    seconds: float,
    *,
    exec_all: bool,
    notify: bool,
    json: bool,
) -> "Follower":
    from app.listener.connection import Patience, websocket_url
    from app.listener.cursor_file import CursorFile
    from app.listener.following import Follower
    from app.listener.items import filter_of
    from app.listener.reactions import Command, notification

    output = console()

    def tell(text: str) -> None:
        output.print(text, markup=False, highlight=False, soft_wrap=True)

    # The key is for the listener only.
    environment = {name: value for name, value in os.environ.items() if name != KEY}
    reactions: list[Callable[[Item], Awaitable[None]]] = []
    if command is not None:
        words = _words(command)
        reactions.append(Command(words, environment, tell, seconds=seconds, every_item=exec_all))
    if notify:
        found = notification(environment)
        if found is None:
            raise CommandError("There is neither `notify-send` nor `osascript` here to show notifications with.")
        reactions.append(found)

    async def hand_on(item: "Item") -> None:
        _write(item, json)
        for reaction in reactions:
            await reaction(item)

    try:
        kept = CursorFile(cursor_file)
    except OSError as error:
        raise CommandError(f"The cursor cannot be kept: {error}") from None
    try:
        address = websocket_url(url)
    except ValueError as error:
        raise CommandError(f"--url: {error}.") from None
    wanted = filter_of(level, [each.upper() for each in listed(kinds or "")])
    return Follower(address, key, wanted, kept, hand_on, tell, Patience())


def _key(file: Path | None) -> str:
    if file is not None:
        try:
            key = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{file}: {error}") from None
    else:
        key = os.environ.get(KEY, "").strip()
    if not key:
        raise CommandError(f"There is no key: {KEY} has to hold one, or --key-file name a file with one.")
    return key


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise CommandError(f"--exec: {error}.") from None
    if not words:
        raise CommandError("--exec: it is empty.")
    return words


def _write(item: "Item", json: bool) -> None:
    import orjson

    from app.listener.items import line

    sys.stdout.write(f"{orjson.dumps(item).decode() if json else line(item)}\n")
    sys.stdout.flush()
