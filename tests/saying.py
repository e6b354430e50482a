"""What a process that runs beside the tests says, waited for with a limit."""

import re
import subprocess
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

PATIENCE = 120.0
"""Seconds; only a process that does not come up takes them. A busy machine may need a quarter of them for a start."""


def wait_for(
    pattern: str, said: Path, process: "subprocess.Popen[Any] | BaseProcess", patience: float = PATIENCE
) -> re.Match[str]:
    """The first match of the pattern in the file that the process writes to.

    Raises AssertionError when the process ends without it, and after `patience` seconds."""
    until = time.monotonic() + patience
    while True:
        code = process.exitcode if isinstance(process, BaseProcess) else process.poll()
        text = said.read_text(encoding="utf-8", errors="replace")
        if (found := re.search(pattern, text)) is not None:
            return found
        assert code is None, f"it has ended with {code}, and said: {text}"
        assert time.monotonic() < until, f"it has not said {pattern} within {patience:.0f} seconds, but: {text}"
        time.sleep(0.05)
