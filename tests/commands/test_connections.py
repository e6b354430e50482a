"""The command `connections`, in processes of its own."""

import re
import sqlite3
from pathlib import Path

import pytest

from tests.command_line import CommandLine, with_database
from tests.connections.conftest import KEYS


@pytest.fixture
def switchboard(tmp_path: Path, sqlite_template: Path) -> CommandLine:
    return with_database(CommandLine(tmp_path), sqlite_template)


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


def test_connection_is_changed_tested_and_deleted(switchboard: CommandLine) -> None:
    key = {"secrets_key": KEYS[0]}
    address = ("--system", "VOICEBOT", "--address", "https://bot.example.com")
    assert switchboard("connections", "add", "Shop", **key).returncode == 0
    assert switchboard("connections", "test", "Shop", **key).stderr == "Nothing stops Shop.\n"
    tested = switchboard("connections", "test", "Shop", secrets_key=KEYS[1])
    assert (tested.returncode, tested.stderr) == (1, "switchboard: Shop could not work now.\n")
    assert tested.stdout.startswith("The server cannot read the secrets")
    rotated = switchboard("connections", "rotate", "Shop", **key)
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=\n", rotated.stdout)
    refused = switchboard("connections", "change", "Shop", "--allow-missing", "7", **key)
    assert (
        refused.stderr
        == "switchboard: The system of this connection sends its data by itself, so there is nothing to reach.\n"
    )
    assert switchboard("connections", "change", "Shop", "--to", "Store").stderr == "Store is changed.\n"
    assert switchboard("connections", "delete", "con_1").stderr == "Store is deleted.\n"
    assert rows(switchboard("connections", "list").stdout)[1:] == []
    assert switchboard("connections", "add", "Bot", *address, typed="a token\n", **key).returncode == 0
    settings = ("--settings", '{"capabilities": {"SNOOZE": true}}')
    assert switchboard("connections", "change", "Bot", *settings).stderr == "Bot is changed.\n"
    assert switchboard("connections", "change", "Bot", "--allow-missing", "7").stderr == "Bot is changed.\n"
    database = switchboard.folder / "switchboard.db"
    with sqlite3.connect(database) as connection:
        asked = "SELECT name, missing_allowed, settings FROM connected_system WHERE deleted_at IS NULL"
        assert connection.execute(asked).fetchall() == [("Bot", 7, '{"capabilities":{"SNOOZE":true}}')]
    connection.close()


def test_history_is_followed_until_it_is_read(switchboard: CommandLine) -> None:
    key = {"secrets_key": KEYS[0]}
    address = ("--system", "VOICEBOT", "--address", "https://bot.example.com")
    assert switchboard("connections", "add", "Shop", **key).returncode == 0
    sends = switchboard("connections", "backfill", "Shop")
    assert sends.stderr.endswith(
        "The system of this connection sends its data by itself, so there is nothing to read.\n"
    )
    assert switchboard("connections", "add", "Bot", *address, typed="a token\n", **key).returncode == 0
    assert switchboard("connections", "pause", "Bot").returncode == 0
    stopped = switchboard("connections", "backfill", "Bot")
    assert stopped.returncode == 1
    assert stopped.stderr.endswith("switchboard: Bot is not read: It is paused.\n")
    with sqlite3.connect(switchboard.folder / "switchboard.db") as connection:
        connection.execute("UPDATE connected_system SET walked_at = created_at WHERE name = 'Bot'")
    connection.close()
    read = switchboard("connections", "backfill", "Bot")
    assert read.stderr.endswith("All that Bot had before is here: 0 interactions.\n")


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
    assert switchboard("connections", "discard", "Shop").stderr == "Deliveries that are erased: 0.\n"


def test_reads_that_fail_are_listed_and_tried_again(switchboard: CommandLine) -> None:
    address = ("--system", "VOICEBOT", "--address", "https://bot.example.com")
    assert switchboard("connections", "add", "Bot", *address, typed="a token\n", secrets_key=KEYS[0]).returncode == 0
    with sqlite3.connect(switchboard.folder / "switchboard.db") as connection:
        connection.executemany(
            "INSERT INTO dirty (connection_id, upstream_key, quiet, due_at, attempts, reason) "
            "VALUES (1, ?, 0, '2026-01-05T09:00:00.000000Z', ?, 'The status x is not known here.')",
            [("17", 4), ("18", 3)],
        )
    connection.close()
    assert rows(switchboard("connections", "errors", "Bot").stdout) == [
        ["ID", "RECEIVED", "ATTEMPTS", "REASON"],
        ["ID", "KEY", "NEXT ATTEMPT", "ATTEMPTS", "REASON"],
        ["frd_1", "17", "2026-01-05 09:00:00", "4", "The status x is not known here."],
    ]
    replayed = switchboard("connections", "replay", "Bot").stderr
    assert replayed == "Deliveries that are applied again: 0.\nWhat is read again: 1.\n"
    assert rows(switchboard("connections", "errors", "Bot").stdout)[1:] == []


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
