"""Runs the command line in processes of their own, forked from one that has imported it."""

import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

ROOT = Path(__file__).parents[1]

_PATIENCE = 60.0
FORKED = multiprocessing.get_context("forkserver")
"""Makes processes from one that has imported the application."""

# To import the application, and to build its schema, takes longer than most commands.
_FIRST, _LAST = "tests.uncollected", "tests.built"
FORKED.set_forkserver_preload(
    [_FIRST, "app.__main__", "app.asgi", "app.commands", "app.demo.loading", "app.storage.migrations", "asyncpg", _LAST]
)


class CommandLine:
    """Runs `python -m app` in an empty working directory with the settings given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, typed: str | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
        variables = {f"SWITCHBOARD_{name.upper()}": value for name, value in settings.items()}
        files = [self.folder / f".{name}" for name in ("stdout", "stderr")]
        given = None
        if typed is not None:
            given = self.folder / ".stdin"
            given.write_text(typed, encoding="utf-8")
        process = start(arguments, {**environment, **variables, "COLUMNS": "100"}, self.folder, files, given)
        process.join(_PATIENCE)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, _PATIENCE)
        written = [file.read_text(encoding="utf-8") for file in files]
        for file in files if given is None else (*files, given):
            file.unlink()
        return subprocess.CompletedProcess(arguments, process.exitcode, *written)


def with_database(command_line: CommandLine, template: Path) -> CommandLine:
    """The same with a migrated database in its folder: to migrate takes longer than most commands."""
    shutil.copyfile(template, command_line.folder / "switchboard.db")
    return command_line


def start(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    files: Sequence[Path],
    typed: Path | None = None,
) -> BaseProcess:
    """A process that runs `python -m app` in the folder, and adds its output and its errors to the two files.

    It reads what is `typed` as its input, where that is given."""
    for file in files:
        file.touch()  # whoever waits for what it says may look before it has begun
    process = FORKED.Process(target=_run, args=(folder, arguments, environment, files, typed), daemon=True)
    process.start()
    return process


def _run(
    folder: Path,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    files: Sequence[Path],
    typed: Path | None,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, file in enumerate(files, start=1):
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(opened, number)
        os.close(opened)
    if typed is not None:
        # The process that this one was forked from has closed its own.
        sys.stdin = typed.open(encoding="utf-8")
    sys.argv = ["switchboard", *arguments]
    from app.__main__ import main

    try:
        main()
    finally:
        sys.stdout.flush()
