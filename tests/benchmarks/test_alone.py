"""Runs that measure take turns."""

import asyncio
import io
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import databases
from tests.serving import eventually

pytestmark = pytest.mark.anyio


async def test_a_run_waits_for_another_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "folder", lambda: tmp_path)
    said = Console(file=io.StringIO())

    def second() -> None:
        with databases.alone(said):
            pass

    with databases.alone(said):
        waiting = asyncio.create_task(asyncio.to_thread(second))
        await eventually(lambda: "waits" in said.file.getvalue())  # type: ignore[attr-defined]
        assert not waiting.done()
    await waiting
