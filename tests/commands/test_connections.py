"""The command `connections`, in processes of its own."""

import re
import sqlite3
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.connections.conftest import KEYS


@pytest.fixture
def switchboard(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def rows(text: str) -> list[list[str]]:
    return [re.split(r" {2,}", line) for line in text.splitlines()]


def test_connection_is_added_listed_paused_and_resumed(switchboard: CommandLine) -> None:
    key = {"secrets_key": KEYS[0]}
    made = switchboard("connections", "add", "Shop", **key)
    assert made.returncode == 0, made.stderr
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=\n", made.stdout)
    assert re.search(r"/hooks/con_1/[A-Za-z0-9_-]{32}", made.stderr.replace("\n", ""))
    assert rows(switchboard("connections", "list").stdout) == [
        ["ID", "NAME", "SYSTEM", "STATE", "LATEST DELIVERY", "PENDING", "PARKED", "ERROR"],
        ["con_1", "Shop", "HTTP", "CONNECTING", "never", "0", "0"],
    ]
    assert switchboard("connections", "pause", "Shop").stderr == "Shop is paused.\n"
    assert rows(switchboard("connections", "list").stdout)[1][3] == "STOPPED"
    assert switchboard("connections", "resume", "con_1").stderr == "Shop is resumed.\n"
    assert rows(switchboard("connections", "list").stdout)[1][3] == "CONNECTING"


def test_parked_deliveries_are_listed_and_replayed(switchboard: CommandLine) -> None:
    assert switchboard("connections", "add", "Shop", secrets_key=KEYS[0]).returncode == 0
    with sqlite3.connect(switchboard.folder / "switchboard.db") as connection:
        connection.execute(
            "INSERT INTO inbox (connection_id, event_key, received_at, state, body, attempts, due_at, reason) VALUES "
            "(1, 'evt-1', '2026-01-05T09:00:00.000000Z', 'PARKED', '', 1, '2026-01-05T09:00:00.000000Z', 'No JSON.')"
        )
    connection.close()
    assert rows(switchboard("connections", "errors", "Shop").stdout) == [
        ["ID", "RECEIVED", "ATTEMPTS", "REASON"],
        ["dlv_1", "2026-01-05 09:00:00", "1", "No JSON."],
    ]
    assert rows(switchboard("connections", "list").stdout)[1][3:] == [
        "DEGRADED",
        "never",
        "0",
        "1",
        "DELIVERIES_PARKED",
    ]
    assert switchboard("connections", "replay", "Shop").stderr == "Deliveries that are applied again: 1.\n"
    assert rows(switchboard("connections", "errors", "Shop").stdout)[1:] == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("add", "Shop"), "The server has no key to seal secrets with."),
        (("pause", "Shop"), "There is no connection Shop."),
        (("errors", "con_9"), "There is no connection con_9."),
    ],
)
def test_what_cannot_be_done_is_one_line(switchboard: CommandLine, arguments: tuple[str, ...], line: str) -> None:
    done = switchboard("connections", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"switchboard: {line}")
    assert done.stderr.count("\n") == 1
