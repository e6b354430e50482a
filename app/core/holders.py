"""Names of processes that hold something, and whether they have ended."""

import os
from pathlib import Path
from socket import gethostname
from typing import NamedTuple
from uuid import uuid4

_PROC = Path("/proc")
_ENDED = frozenset({"Z", "X"})


class _Process(NamedTuple):
    """A process as others can recognize it: the machine since its start, the machine's name, the namespace in which the
    number is given, the number, and when the process began, for numbers are given out again."""

    boot: str
    machine: str
    namespace: str
    number: int
    began: str

    @property
    def place(self) -> tuple[str, str, str]:
        """Where the number says which process it is."""
        return self.boot, self.machine, self.namespace


def new_holder() -> str:
    """A name that no other holder has or had. On Linux it says which process gave it to itself."""
    own, name = _own(), uuid4().hex
    return name if own is None else " ".join([*map(str, own), name])


def is_gone(holder: str) -> bool:
    """Whether the holder's process has certainly ended: it was one of this machine, and in the same container.

    Of any other process nothing is known."""
    own, parts = _own(), holder.split(" ")
    if own is None or len(parts) != len(_Process._fields) + 1 or not parts[3].isdecimal():
        return False
    other = _Process(parts[0], parts[1], parts[2], int(parts[3]), parts[4])
    if other.place != own.place:
        return False
    try:
        os.kill(other.number, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # It is there, and another user's.
    state, began = _standing(other.number) or ("", other.began)
    return state in _ENDED or began != other.began


def _own() -> _Process | None:
    """This process. None where the system does not say enough of it."""
    number = os.getpid()
    found = _standing(number)
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink(_PROC / "self/ns/pid")
        same = os.readlink(_PROC / "self") == str(number)  # or this is the list of another namespace's processes
    except OSError:
        return None
    machine = gethostname()
    if found is None or not same or not boot or not machine or " " in machine + namespace:
        return None
    return _Process(boot, machine, namespace, number, found[1])


def _standing(number: int) -> tuple[str, str] | None:
    """The state of a process and when it began, in ticks of the clock. None where that cannot be read."""
    try:
        said = (_PROC / str(number) / "stat").read_text()
    except OSError:
        return None
    # The name of the program is in brackets and may hold anything, even brackets.
    fields = said.rpartition(")")[2].split()
    return (fields[0], fields[19]) if len(fields) > 19 else None
