"""The examples of the contracts' pages: command lines of curl, and what they are answered.

`<example>.curl` beside `<example>.json` is the command as its page prints it, or, where a page prints no command, what
its parts say as one. The command is run; only a machine without curl has the same request sent by a library."""

import asyncio
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

import httpx2
import orjson

CURL = shutil.which("curl")
# Nothing of the machine's own settings; the head of the answer with its body.
_OPTIONS = ("--disable", "--silent", "--show-error", "--include", "--noproxy", "*", "--max-time", "10")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `headers` by their names in small letters."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        return orjson.loads(self.content)


@dataclass(frozen=True, slots=True)
class Example:
    """A page's request and its answer. `slips` are the page's own mistakes, each with what it should have said."""

    name: str
    command: str
    server: str
    slips: tuple[tuple[str, str], ...]
    response: Mapping[str, Any]
    echoed: tuple[str, ...]

    def arguments(self, url: str, names: Mapping[str, str], *, as_printed: bool = False) -> list[str]:
        """The command's words, to the server at `url`, with its placeholders filled in."""
        text = self.command
        for printed, meant in () if as_printed else self.slips:
            assert text.count(printed) == 1
            text = text.replace(printed, meant)
        for name, value in {self.server: url, **names}.items():
            assert name in text
            text = text.replace(name, value)
        # shlex does not know that a line goes on after a backslash.
        return shlex.split(text.replace("\\\n", ""))


def golden(folder: Path) -> list[Example]:
    """The examples of a contract's pages, by name."""
    found = []
    for path in sorted(folder.glob("*.json")):
        said = orjson.loads(path.read_bytes())
        slips = tuple((printed, meant) for printed, meant in said.get("slips", ()))
        command = path.with_suffix(".curl").read_text()
        found.append(
            Example(path.stem, command, said["server"], slips, said["response"], tuple(said.get("echoed", ())))
        )
    return found


async def send(
    example: Example, url: str, names: Mapping[str, str] | None = None, *, as_printed: bool = False
) -> Answer:
    """What the server at `url` answers to the example's command."""
    program, *words = example.arguments(url, names or {}, as_printed=as_printed)
    assert program == "curl"
    if CURL is None:
        return await _send_by_library(words)
    process = await asyncio.create_subprocess_exec(
        CURL, *_OPTIONS, *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    found, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    head, _, content = found.partition(b"\r\n\r\n")
    first, _, fields = head.partition(b"\r\n")
    headers = {name.lower(): value for name, value in BytesHeaderParser().parsebytes(fields).items()}
    return Answer(int(first.split()[1]), headers, content)


async def _send_by_library(words: list[str]) -> Answer:
    request = parsed(words)
    async with httpx2.AsyncClient() as client:
        response = await client.send(request)
    return Answer(response.status_code, dict(response.headers), response.content)


def parsed(words: list[str]) -> httpx2.Request:
    """The request that curl sends, told by these words; only what the pages use of curl is known."""
    method, headers, content, url = "GET", {}, None, ""
    given = iter(words)
    for word in given:
        if word == "-X":
            method = next(given)
        elif word == "-H":
            name, _, value = next(given).partition(": ")
            headers[name] = value
        elif word == "-d":
            content = next(given).encode()
        else:
            assert not word.startswith("-")
            assert not url
            url = word
    return httpx2.Request(method, url, headers=headers, content=content)


def ordered(value: Any) -> Any:
    """The value with objects as lists of pairs, so that equality sees the order of keys."""
    if isinstance(value, dict):
        return [(key, ordered(item)) for key, item in value.items()]
    if isinstance(value, list):
        return [ordered(item) for item in value]
    return value
