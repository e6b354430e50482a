"""Runs tests over a copy of the tree in which one change was made."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.changes import Change

ROOT = Path(__file__).parents[2]
_STOPS_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change of a module; `path` is relative to the repository."""

    path: str
    change: Change
    text: str

    def __str__(self) -> str:
        old, new = (" ".join(each.split()) for each in (self.change.old, self.change.new))
        return f"{self.path}: {self.text}: {old} -> {new}"


@contextmanager
def copied_tree() -> Iterator[Path]:
    """A copy of the files that git knows, with this environment, gone after the block."""
    with TemporaryDirectory(prefix="switchboard-mutants-") as folder:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
        for name in listed.stdout.split("\0"):
            if name and (ROOT / name).is_file():
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, Path(folder) / name)
        (Path(folder) / ".venv").symlink_to((ROOT / ".venv").resolve())
        yield Path(folder)


def runs(tree: Path, tests: Sequence[str], seconds: float) -> tuple[int | None, float]:
    """The status with which the tests end, None when they take too long, and the seconds that they took."""
    began = time.monotonic()
    command = [".venv/bin/python", "-B", "-m", "pytest", "-x", "-p", "no:cacheprovider", *tests]
    quiet = subprocess.DEVNULL
    run = subprocess.Popen(
        command, cwd=tree, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True, preexec_fn=_heed_interrupts
    )
    try:
        status: int | None = run.wait(seconds)
    except subprocess.TimeoutExpired:
        status = None
    finally:
        _end(run)
    return status, time.monotonic() - began


def is_noticed(tree: Path, mutant: Mutant, tests: Sequence[str], seconds: float) -> bool:
    """Whether the tests fail, or take too long, with the change. The copy is as before afterwards."""
    path = tree / mutant.path
    source = path.read_bytes()
    path.write_bytes(mutant.change.applied(source))
    try:
        return runs(tree, tests, seconds)[0] != 0
    finally:
        path.write_bytes(source)


def _heed_interrupts() -> None:
    # A shell starts what runs in its background with interrupts ignored, and that is inherited.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _end(run: "subprocess.Popen[bytes]") -> None:
    """End a run that is not over: politely, so that it stops the PostgreSQL server that it has started."""
    for sent in (signal.SIGINT, signal.SIGKILL):
        if run.poll() is not None:
            return
        os.killpg(run.pid, sent)
        try:
            run.wait(_STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            continue
