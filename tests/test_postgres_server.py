"""The tests' own PostgreSQL: it starts on a machine that never ran it, changes nothing there, and fails once."""

import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests import postgres_server
from tests.postgres_server import PostgresqlFailed, temporary_server

ROOT = Path(__file__).parents[1]


def test_postgres_server_leaves_users_folders_and_files_as_they_were() -> None:
    folders = {each: each.stat().st_mode for each in (Path(postgres_server.__file__), *Path(sys.executable).parents)}
    folders |= {each: each.stat().st_mode for each in (Path(tempfile.gettempdir()), *ROOT.parents)}
    users = {entry.pw_name for entry in pwd.getpwall()}
    with temporary_server() as server:
        data = Path(str(server.url.query["host"]))
        assert (data / ".s.PGSQL.5432").is_socket()
        # Nobody else on the machine looks into it.
        assert data.stat().st_mode & 0o077 == 0
        assert os.stat(f"/proc/{server.pid}").st_uid != 0 if Path("/proc/self").exists() else True
    assert not data.exists()
    assert {entry.pw_name for entry in pwd.getpwall()} == users
    assert {each: each.stat().st_mode for each in folders} == folders


def test_postgres_server_that_cannot_start_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_server, "_FASTER", ("no_such_setting=1",))
    with pytest.raises(PostgresqlFailed, match="no_such_setting"), temporary_server():
        pass


@pytest.mark.parametrize("processes", [(), ("-n", "1")])
def test_postgres_server_that_cannot_start_ends_the_run_with_one_error(
    processes: tuple[str, ...], tmp_path: Path
) -> None:
    # A name that no folder has, so that the server has nowhere to be.
    broken = tmp_path / "sitecustomize.py"
    broken.write_text("import tests.postgres_server as s\ns._PACKAGE = 'no_such_package'\n", encoding="utf-8")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "SWITCHBOARD_"))
        and name not in ("CI", "BUILD_NUMBER")  # with either, pytest repeats whole messages in its summary
    }
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "tests/storage/event_log/test_log.py",
            "-p",
            "no:cacheprovider",
            *processes,
        ],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode in (1, 2)  # ended by the main process, or stopped at the first error
    said = [line for line in run.stdout.splitlines() if "The package no_such_package is not installed" in line]
    assert 1 <= len(said) <= 3  # where it happened, in the summary, and as what stopped the run
    assert run.stdout.count("ERROR at setup") <= 1
    assert "Traceback" not in run.stdout + run.stderr
