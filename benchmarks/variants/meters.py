"""What processes have used: instructions, or else CPU time."""

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import psutil

from benchmarks.databases import with_children
from benchmarks.processes import cpu_seconds

_SYSCALLS = {"x86_64": 298, "aarch64": 241}
"""The number of perf_event_open(2), which the C library does not name."""

_SIZE = 64
"""Bytes of the first version of its attributes."""

_INHERIT, _EXCLUDE_KERNEL, _EXCLUDE_HYPERVISOR = 1 << 1, 1 << 5, 1 << 6

INSTRUCTIONS = (0, 1)
PAGE_FAULTS = (1, 2)
"""Events as (type, config). The second one is there on every Linux, which counts it by itself."""


class Meter(NamedTuple):
    """`read` gives what has been used so far, in this unit."""

    unit: str
    read: Callable[[], float]


@contextmanager
def metering(processes: Sequence[psutil.Process]) -> Iterator[Meter]:
    """A meter of all threads of the processes and of their children as of now."""
    with ExitStack() as opened:
        try:
            read = opened.enter_context(counted(processes, INSTRUCTIONS))
        except OSError:
            all_ = with_children(list(processes))
            yield Meter("us of CPU", lambda: cpu_seconds(all_) * 1e6)
        else:
            yield Meter("thousand instructions", lambda: read() / 1_000)


@contextmanager
def counted(processes: Sequence[psutil.Process], event: tuple[int, int]) -> Iterator[Callable[[], int]]:
    """Count an event in user space. Raises OSError where the system does not count it."""
    with ExitStack() as opened:
        counters = []
        for process in with_children(list(processes)):
            for thread in process.threads():
                counters.append(_open(event, thread.id))
                opened.callback(os.close, counters[-1])
        yield lambda: sum(struct.unpack("q", os.read(each, 8))[0] for each in counters)


def _open(event: tuple[int, int], thread: int) -> int:
    number = _SYSCALLS.get(platform.machine())
    if sys.platform != "linux" or number is None:
        raise OSError("No counters are known here.")
    type_, config = event
    flags = _INHERIT | _EXCLUDE_KERNEL | _EXCLUDE_HYPERVISOR
    given = ctypes.create_string_buffer(struct.pack("IIQQQQQIIQ", type_, _SIZE, config, 0, 0, 0, flags, 0, 0, 0), _SIZE)
    system = ctypes.CDLL(None, use_errno=True)
    found = int(system.syscall(number, given, thread, -1, -1, 0))
    if found < 0:
        raise OSError(ctypes.get_errno(), "perf_event_open")
    return found
