import os
import sqlite3
from pathlib import Path

import pytest

from tests.command_line import CommandLine, start
from tests.saying import PATIENCE, wait_for


def _environment(folder: Path, **settings: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
    given = {f"SWITCHBOARD_{name.upper()}": value for name, value in settings.items()}
    database = {"SWITCHBOARD_DATABASE_URL": f"sqlite:///{folder / 'demo.db'}"}
    return {**inherited, **database, **given, "COLUMNS": "100"}


def _demo(folder: Path, *arguments: str) -> tuple[int, str]:
    done = CommandLine(folder)("demo", *arguments, database_url=f"sqlite:///{folder / 'demo.db'}")
    return done.returncode, done.stderr.splitlines()[-1]


def _interactions(folder: Path) -> int:
    connection = sqlite3.connect(folder / "demo.db", timeout=10)
    try:
        (found,) = connection.execute("SELECT count(*) FROM interaction").fetchone()
    finally:
        connection.close()
    return int(found)


def test_demo_says_what_it_did(tmp_path: Path) -> None:
    assert _demo(tmp_path) == (0, "Loaded 52 interactions with 237 messages.")
    assert _demo(tmp_path) == (0, "The demo is there already; nothing was changed.")
    assert _interactions(tmp_path) == 52


@pytest.mark.parametrize(("settings", "interactions"), [({}, 52), ({"demo": "0"}, 0)])
def test_serve_loads_the_demo_at_its_first_start_unless_it_is_told_not_to(
    tmp_path: Path, settings: dict[str, str], interactions: int
) -> None:
    said = tmp_path / "said"
    server = start(("serve", "--port", "0"), _environment(tmp_path, **settings), tmp_path, (said, tmp_path / "log"))
    try:
        wait_for("swk_", said, server)  # it announces itself last of all
    finally:
        server.terminate()
        server.join(PATIENCE)
    assert _interactions(tmp_path) == interactions
