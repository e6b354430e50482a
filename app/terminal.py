"""What the command line prints, and the address it listens at."""

import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


class CommandError(Exception):
    """The command cannot do what was asked. The message is for the person who typed it."""


def console() -> "Console":
    """The console for everything that is not a result."""
    from rich.console import Console

    return Console(stderr=True)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Shows a progress bar during the block. Call the function with how many are done, and of how many."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, of: bar.update(task, completed=done, total=of)


def columns(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table to standard output, whatever its width, so that other programs can read it."""
    widths = [max(len(row[place]) for row in (headings, *rows)) for place in range(len(headings))]
    for row in (headings, *rows):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(f"{line.rstrip()}\n")


def announce(address: str, secret: str | None, another: str) -> None:
    """Print where the server and its pages are. The secret is the first key's, which has not been shown yet.

    `another` is the command that creates one more key."""
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    # Standard output, because standard error may be a stream of JSON objects.
    output = Console()
    if secret is None:
        output.print(
            Text(f"Switchboard is at {address}, its graph at {address}/graphql (another key: {another})"),
            soft_wrap=True,
        )
        return
    text = Text.assemble(
        "Open the console, with the key in place:\n",
        (f"{address}/#key={secret}", "bold cyan"),
        "\n\nOr explore the graph in GraphiQL:\n",
        (f"{address}/graphql#key={secret}", "bold cyan"),
        "\n\nThe key of the user admin, shown this once:\n",
        (secret, "bold"),
        f"\n\nAnother one: {another}",
    )
    # Wide enough for the address on one line, however narrow the terminal is, so that it can be copied.
    output.width = max(output.width, *(len(line) + 4 for line in text.plain.splitlines()))
    output.print(Panel(text, title="Switchboard", title_align="left", border_style="green", expand=False))


def listen(host: str, port: int) -> socket.socket:
    """A socket bound to the address. Raises CommandError when it cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CommandError(
            f"Cannot listen at {host} port {port}: {error.strerror}. `--port` or SWITCHBOARD_PORT picks another."
        ) from None
    listener.set_inheritable(True)
    return listener


def shown(host: str) -> str:
    """The host as a browser on this machine reaches it."""
    if host in ("0.0.0.0", "::", ""):
        return "localhost"
    return f"[{host}]" if ":" in host else host
