"""Servers under measurement: started on a core of their own, and what they use of it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.client import BenchmarkError

_ADDRESS = re.compile(r"http://127\.0\.0\.1:([0-9]+)/graphql")
_PATIENCE = 60
_USABLE = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]

GENERATOR_CORES = {_USABLE[0]}
SERVER_CORES = {_USABLE[-1]}
"""One core each for the load generator and for the server, where there are two."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; `cpu_seconds` is what all its threads have used so far."""

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        return cpu_seconds([self.process])

    def memory(self) -> int:
        """Bytes that it has in memory now."""
        return int(self.process.memory_info().rss)


def pin(cpus: set[int], pid: int = 0) -> None:
    """Keep a process on these cores, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, cpus)


def pin_all(cpus: set[int], process: psutil.Process) -> None:
    """Keep all threads that a running process has on these cores, and those that they start."""
    for thread in process.threads():
        pin(cpus, thread.id)


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """User and system time of the processes together."""
    found = 0.0
    for process in processes:
        try:
            found += _cpu_clock(process.pid) if sys.platform == "linux" else sum(process.cpu_times()[:2])
        except (psutil.NoSuchProcess, OSError):
            continue
    return found


def _cpu_clock(pid: int) -> float:
    """What all threads of a process have used. Raises OSError when it has ended.

    It is the clock of clock_getcpuclockid(3), in nanoseconds. What /proc says is in ticks of ten milliseconds, a
    fortieth of a turn."""
    return time.clock_gettime((~pid << 3) | 2)


@contextmanager
def serving(arguments: list[str], settings: Mapping[str, str], folder: Path) -> Iterator[Server]:
    """Run `python -m …` until the block ends. Raises BenchmarkError when it does not come up."""
    with running([sys.executable, "-m", *arguments], settings, folder) as server:
        yield server


@contextmanager
def running(command: list[str], settings: Mapping[str, str], folder: Path) -> Iterator[Server]:
    """Run a server that prints its address, until the block ends. Raises BenchmarkError when it does not come up."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
    log = folder / "server.log"
    with log.open("wb") as errors:
        started = subprocess.Popen(
            command,
            env={**inherited, **settings, "PYTHONPATH": str(Path(__file__).parents[1])},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    try:
        pin(SERVER_CORES, started.pid)
        assert started.stdout is not None
        for line in started.stdout:
            found = _ADDRESS.search(line)
            if found is not None:
                yield Server(int(found[1]), psutil.Process(started.pid))
                return
        raise BenchmarkError(f"The server did not start:\n{log.read_text(encoding='utf-8')[-2_000:]}")
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()
        if started.stdout is not None:
            started.stdout.close()
