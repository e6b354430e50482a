import subprocess
import sys
from pathlib import Path

import pytest

from tests.saying import wait_for


def started(folder: Path, code: str) -> tuple[Path, subprocess.Popen[bytes]]:
    path = folder / "said"
    with path.open("wb") as said:
        return path, subprocess.Popen([sys.executable, "-S", "-c", code], stdout=said)


@pytest.mark.parametrize("then", ["", "; import time; time.sleep(60)"])
def test_what_a_process_says_is_found_while_it_runs_and_after(tmp_path: Path, then: str) -> None:
    path, process = started(tmp_path, f"print('at port 4711', flush=True){then}")
    with process:
        assert wait_for(r"port (\d+)", path, process)[1] == "4711"
        process.kill()


def test_a_process_that_ends_without_it_is_not_waited_for(tmp_path: Path) -> None:
    path, process = started(tmp_path, "print('no'); raise SystemExit(3)")
    with process, pytest.raises(AssertionError, match="ended with 3, and said: no"):
        wait_for("port", path, process)


def test_a_process_that_says_nothing_is_not_waited_for_without_end(tmp_path: Path) -> None:
    path, process = started(tmp_path, "import time; time.sleep(60)")
    with process:
        with pytest.raises(AssertionError, match="not said port within 0 seconds"):
            wait_for("port", path, process, patience=0.2)
        process.kill()
