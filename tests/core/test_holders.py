import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.core.holders import is_gone, new_holder

_SAYS_ITS_NAME = "from app.core.holders import new_holder; print(new_holder(), flush=True); input()"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Only Linux says enough of a process.")


@contextmanager
def other_process() -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A process that lives, and the name of a holder in it."""
    command = [sys.executable, "-c", _SAYS_ITS_NAME]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process
        finally:
            process.kill()


def test_holder_has_a_name_of_its_own() -> None:
    assert len({new_holder() for _ in range(3)}) == 3


def test_holder_is_gone_when_its_process_has_ended_even_if_nobody_has_taken_note() -> None:
    with other_process() as (holder, process):
        assert not is_gone(holder)
        process.kill()
        # Waits until it has ended, and leaves it as a zombie.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(holder)
        process.wait()
        assert is_gone(holder)


def test_holder_in_this_process_is_not_gone() -> None:
    assert not is_gone(new_holder())


def test_holder_whose_number_another_process_has_by_now_is_gone() -> None:
    *place, number, began, name = new_holder().split(" ")
    assert is_gone(" ".join([*place, number, str(int(began) - 1), name]))


@pytest.mark.parametrize("part", [0, 1, 2])
def test_holder_of_another_machine_or_container_may_live(part: int) -> None:
    with other_process() as (holder, process):
        process.kill()
        process.wait()
        parts = holder.split(" ")
        parts[part] = "another"
        assert (is_gone(holder), is_gone(" ".join(parts))) == (True, False)


@pytest.mark.parametrize("name", ["", "tests", "a b c d e f", "a b c -1 e f", "0" * 32])
def test_holder_that_says_nothing_of_its_process_may_live(name: str) -> None:
    assert not is_gone(name)
