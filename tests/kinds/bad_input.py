"""What the table of bad input needs to know of a contract, whichever it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A request that changes the first interaction, and what is wrong in a like one.

    `long` and `wrong` are members whose values are too long, and of wrong types. `texts` is a member that takes any
    text, as the body has it, and `shown` where the answer has it. `unknown` and `foreign` are paths under which there
    is nothing to write to, and something of somebody else's."""

    method: str
    path: str
    body: Mapping[str, Any]
    wrong: tuple[Mapping[str, Any], ...]
    long: Mapping[str, Any]
    texts: Mapping[str, Any]
    unknown: tuple[str, ...]
    foreign: str
    # What JSON has in common with the media types that are taken, but is none of them.
    media_type: str = field(default="text/plain")


INJECTED = "'); DROP TABLE interaction; --\r\nX-Evil: yes\r\n\r\n<script>alert(1)</script>"
"""What no part of the application may take for anything but text."""
