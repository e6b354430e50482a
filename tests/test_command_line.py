import os
import re
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.http.pages import build
from app.storage.event_log import RAISED_BY
from tests.command_line import ROOT, CommandLine, start, with_database
from tests.saying import wait_for


@pytest.fixture
def switchboard(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@pytest.fixture
def migrated(switchboard: CommandLine, sqlite_template: Path) -> CommandLine:
    return with_database(switchboard, sqlite_template)


def test_help_lists_the_commands_without_importing_the_server() -> None:
    script = (
        "import sys\n"
        "import app.__main__ as command_line\n"
        "sys.argv = ['switchboard', '--help']\n"
        "try:\n"
        "    command_line.main()\n"
        "except SystemExit:\n"
        "    pass\n"
        "slow = {'strawberry', 'graphql', 'starlette', 'sqlalchemy', 'uvicorn', 'pydantic'} & set(sys.modules)\n"
        "sys.exit(f'imported {slow}' if slow else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    listed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("│ ") and line[2] != " "]
    commands = [
        "serve",
        "migrate",
        "demo",
        "key",
        "teams",
        "user",
        "pepper",
        "push-key",
        "secrets-key",
        "connections",
        "graphiql",
        "schema",
        "recompute",
        "backup",
        "doctor",
        "erasures",
        "renumber",
        "restore",
        "explain",
        "listen",
        "documents",
    ]
    assert listed == [*commands, "--help"]


def test_migrate_makes_the_database_where_it_is_set(switchboard: CommandLine) -> None:
    for _ in range(2):
        done = switchboard("migrate", database_url="sqlite:///here.db")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "The database is up to date.\n")
    with sqlite3.connect(switchboard.folder / "here.db") as connection:
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)
    connection.close()


def test_key_prints_one_more_key_and_nothing_else(switchboard: CommandLine) -> None:
    keys = [switchboard("key"), switchboard("key", "--user", "ADMIN", "--name", "pager")]
    assert [(made.returncode, made.stderr) for made in keys] == [(0, ""), (0, "")]
    assert all(re.fullmatch(r"swk_[a-z0-9]{8}_[A-Za-z0-9_-]{43}\n", made.stdout) for made in keys)
    with sqlite3.connect(switchboard.folder / "switchboard.db") as connection:
        stored = connection.execute("SELECT name, prefix, permissions FROM api_key ORDER BY id").fetchall()
    connection.close()
    prefixes = [made.stdout[4:12] for made in keys]
    assert stored == [("command line", prefixes[0], None), ("pager", prefixes[1], None)]


def test_key_is_narrowed_and_ended_by_options(migrated: CommandLine) -> None:
    assert migrated("user", "add", "tony", "--permissions", "session:read, session:write").returncode == 0
    made = migrated("key", "--user", "tony", "--permissions", "session:read", "--expires", "30d", "--name", "ci")
    assert (made.returncode, made.stderr) == (0, "")
    nothing = migrated("key", "--user", "tony", "--permissions", "")
    listed = [re.split(r" {2,}", line) for line in migrated("key", "list", "--user", "tony").stdout.splitlines()]
    assert listed[0] == ["ID", "PREFIX", "USER", "NAME", "PERMISSIONS", "STATE", "MADE BY"]
    assert listed[1][:5] == ["key_1", made.stdout[4:12], "tony", "ci", "session:read"]
    end = datetime.strptime(listed[1][5], "valid until %Y-%m-%d %H:%M").replace(tzinfo=UTC)
    assert timedelta(days=29) < end - datetime.now(UTC) < timedelta(days=31)
    assert listed[2][1:] == [nothing.stdout[4:12], "tony", "command line", "none", "valid"]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--expires", "soon"], "--expires: it has to look like 90s, 30m, 2h or 7d."),
        (["--expires", "999999999d"], "--expires: it has to be longer than 0s and at most 36500d."),
        (["--permissions", "session:fly"], "There is no permission session:fly."),
        (
            ["--user", "eve", "--permissions", "session:read"],
            "You can only grant permissions that you have yourself, and session:read is not one of them.",
        ),
    ],
)
def test_key_refuses_what_it_cannot_give(migrated: CommandLine, options: list[str], line: str) -> None:
    assert migrated("user", "add", "eve").returncode == 0
    done = migrated("key", *options)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"switchboard: {line}\n")


def test_keys_are_revoked_by_id_prefix_or_secret(migrated: CommandLine) -> None:
    secrets = [migrated("key").stdout.strip() for _ in range(3)]
    for number, text in enumerate(("key_1", secrets[1][4:12], secrets[2]), start=1):
        done = migrated("key", "revoke", text)
        assert (done.returncode, done.stderr) == (0, f"Revoked: key_{number}.\n")
    again = migrated("key", "revoke", "key_1", "--include-made")
    assert (again.returncode, again.stderr) == (0, "Revoked: nothing, it was revoked before.\n")
    states = [re.split(r" {2,}", line)[5] for line in migrated("key", "list").stdout.splitlines()[1:]]
    assert [state.split()[0] for state in states] == ["revoked"] * 3
    unknown = migrated("key", "revoke", "key_99")
    assert (unknown.returncode, unknown.stderr) == (1, "switchboard: There is nothing with the id key_99.\n")


def test_users_are_added_listed_and_changed(migrated: CommandLine) -> None:
    assert migrated("user", "add", "boss", "--admin").stderr == "Added usr_1 (boss).\n"
    assert migrated("user", "add", "tony", "--name", "Tony Yates", "--email", "t@example.com").returncode == 0
    assert migrated("user", "permissions", "tony", "session:read,users:manage").stderr == (
        "tony may: session:read, users:manage.\n"
    )
    assert migrated("user", "deactivate", "tony").stderr == "tony is inactive.\n"
    rows = [re.split(r" {2,}", line) for line in migrated("user", "list").stdout.splitlines()]
    assert rows == [
        ["ID", "LOGIN", "NAME", "STATE", "PERMISSIONS"],
        ["usr_1", "boss", "boss", "active", "admin"],
        ["usr_2", "tony", "Tony Yates", "inactive", "session:read,users:manage"],
    ]
    assert migrated("user", "activate", "tony").stderr == "tony is active.\n"
    last = migrated("user", "deactivate", "boss")
    assert (last.returncode, "last active admin" in last.stderr) == (1, True)


def test_pepper_is_changed_and_the_former_one_ended(migrated: CommandLine) -> None:
    old, new = "the old pepper of ours", "the new pepper of ours"
    assert migrated("key", key_pepper=old).returncode == 0
    wrong = migrated("key", key_pepper=new)
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("switchboard: SWITCHBOARD_KEY_PEPPER is another pepper, but ")
    assert "Traceback" not in wrong.stderr
    shown = migrated("pepper", key_pepper=new, key_pepper_previous=old)
    rows = [re.split(r" {2,}", line) for line in shown.stdout.splitlines()]
    assert [(row[0], *row[2:]) for row in rows] == [
        ("ID", "STATE", "KEYS"),
        ("1", "former", "1"),
        ("2", "in use", "0"),
    ]
    ended = migrated("pepper", "end", key_pepper=new)
    assert ended.stderr == "The former peppers are ended. Keys that were revoked with them: 1.\n"
    assert migrated("key", key_pepper=new).returncode == 0
    assert migrated("pepper", "end", "--lost", key_pepper="a third pepper of ours").returncode == 0


def test_wrong_pepper_stops_the_server_before_it_listens(migrated: CommandLine) -> None:
    assert migrated("key", key_pepper="the old pepper of ours").returncode == 0
    done = migrated("serve", "--port", "0", key_pepper="the new pepper of ours")
    assert (done.returncode, done.stdout) == (1, "")
    assert "SWITCHBOARD_KEY_PEPPER_PREVIOUS" in done.stderr


def test_printed_command_works_where_it_is_printed(migrated: CommandLine, tmp_path: Path) -> None:
    assert migrated("key").returncode == 0  # the first key: the server shows the command on a line of its own
    folder = tmp_path / "some where else"
    folder.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
    said = tmp_path / "said"
    arguments = ("serve", "--port", "0")
    server = start(arguments, {**environment, "SWITCHBOARD_DEMO": "false"}, tmp_path, (said, tmp_path / "log"))
    try:
        printed = wait_for(r"\(another key: (.*)\)", said, server)
    finally:
        server.terminate()
        server.join()
    done = subprocess.run(
        printed[1], shell=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout[4:12] in migrated("key", "list").stdout


def test_key_refuses_a_user_who_does_not_exist(migrated: CommandLine) -> None:
    done = migrated("key", "--user", "nobody")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "switchboard: There is no user with the login nobody.\n"


def test_a_taken_port_is_told_before_anything_is_made(switchboard: CommandLine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = switchboard("serve", "--port", str(port))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"switchboard: Cannot listen at 127.0.0.1 port {port}: Address already in use. "
        "`--port` or SWITCHBOARD_PORT picks another.\n"
    )
    assert list(switchboard.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"prot": "1"}, "switchboard: SWITCHBOARD_PROT is not a setting. Did you mean SWITCHBOARD_PORT?"),
        (
            {"database_url": "mysql://db/a"},
            "switchboard: SWITCHBOARD_DATABASE_URL: it has to begin with sqlite:/// or postgresql://.",
        ),
        (
            {"database_url": "sqlite:////no/such/folder/a.db"},
            "switchboard: The folder of the SQLite file /no/such/folder/a.db does not exist.",
        ),
        ({"database_url": "sqlite:////"}, "switchboard: The SQLite file / cannot be used: it is a folder."),
        (
            {"database_url": "postgresql://me:word@db:99999/a"},
            "switchboard: The port of the database address has to be 1 to 65535.",
        ),
        (
            {"event_retention": "999999999d"},
            "switchboard: SWITCHBOARD_EVENT_RETENTION: it has to be longer than 0s and at most 36500d.",
        ),
    ],
)
def test_a_fault_of_the_settings_is_one_line(switchboard: CommandLine, settings: dict[str, str], line: str) -> None:
    done = switchboard("migrate", **settings)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{line}\n")


def test_a_database_that_does_not_answer_is_one_line(switchboard: CommandLine) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        done = switchboard("migrate", database_url=f"postgresql://me:word@127.0.0.1:{silent.getsockname()[1]}/a")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("switchboard: The database refuses: ")
    assert (done.stderr.count("\n"), "word" in done.stderr) == (1, False)


@pytest.mark.parametrize(
    ("permissions", "told"),
    [
        ([], "0 rows, ix_interaction_active"),
        (["--permissions", "session:read, conversation:read"], "0 rows, ix_interaction_part_active"),
        (["--permissions", ""], "cost 20 of 20,000, 0 statements"),
        (["--permissions", "sessions:read"], "There is no permission sessions:read."),
    ],
)
def test_explain_asks_as_who_has_the_permissions(migrated: CommandLine, permissions: list[str], told: str) -> None:
    (migrated.folder / "query.graphql").write_text("{ interactions { nodes { id } } }", encoding="utf-8")
    done = migrated("explain", "query.graphql", *permissions)
    refused = permissions[-1:] == ["sessions:read"]
    assert (done.returncode, told in (done.stderr if refused else done.stdout)) == (int(refused), True)


def test_recompute_applies_a_changed_rule_once(migrated: CommandLine) -> None:
    assert migrated("demo").returncode == 0
    with sqlite3.connect(migrated.folder / "switchboard.db") as connection:
        total = connection.execute("SELECT count(*) FROM interaction").fetchone()[0]
        escalated = connection.execute(
            "SELECT count(*) FROM interaction WHERE attention_reason = 'ESCALATED'"
        ).fetchone()[0]
    connection.close()
    assert escalated > 0
    for changed in (escalated, 0):
        done = migrated("recompute", escalation="{}")
        assert (done.returncode, done.stdout) == (0, "")
        assert f"Of {total} interactions {changed} changed, and of " in " ".join(done.stderr.split())


def test_doctor_says_what_to_do_and_fails_for_a_fault(switchboard: CommandLine) -> None:
    good = switchboard("doctor", port="0")
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.splitlines()[-1].startswith("0 at fault, ")
    assert list(switchboard.folder.iterdir()) == []
    bad = switchboard("doctor", prot="1", demo="perhaps")
    assert (bad.returncode, bad.stderr) == (1, "")
    lines = bad.stdout.splitlines()
    assert [line for line in lines if line.startswith("FAULT")] == [
        "FAULT    settings     SWITCHBOARD_PROT is not a setting. Did you mean SWITCHBOARD_PORT?",
        "FAULT    settings     SWITCHBOARD_DEMO: Input should be a valid boolean, unable to interpret input.",
    ]
    assert lines[1].strip() == "-> Correct or unset the variable; docs/settings.md lists them."
    assert lines[-1] == "2 at fault, 0 to look at, 0 in order."
    assert switchboard("doctor", "--workers", "0").stderr == "switchboard: --workers: it has to be 1 or more.\n"


def test_graphiql_is_looked_for_without_loading_the_graph(tmp_path: Path) -> None:
    (tmp_path / build._FAILED).touch()  # so that npm is not asked
    script = (
        "import sys\n"
        "from app import __main__ as command_line\n"
        "sys.argv = ['switchboard', 'graphiql']\n"
        "try:\n"
        "    command_line.main()\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "slow = {'strawberry', 'graphql', 'sqlalchemy'} & set(sys.modules)\n"
        "sys.exit(f'imported {slow}' if slow else 0)\n"
    )
    # The setting is a kind's, and for a server to judge.
    settings = {"SWITCHBOARD_GRAPHIQL_FOLDER": str(tmp_path), "SWITCHBOARD_ESCALATION": "{}"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_start_that_settings_prevent_says_so_without_a_traceback(switchboard: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = switchboard("serve", port="0", demo="false", metrics_port=str(port))
    assert done.returncode == 3
    assert f"SWITCHBOARD_METRICS_PORT: port {port} is in use." in done.stderr
    assert "Traceback" not in done.stderr


def test_backup_is_made_and_restored(migrated: CommandLine) -> None:
    assert migrated("demo").returncode == 0
    made = migrated("backup", "copy.db")
    assert (made.returncode, made.stdout) == (0, "")
    assert re.search(r"copy\.db has [0-9,]+ bytes, revision [0-9]{4}\.\n$", made.stderr)
    before = _head(migrated)
    kept = migrated("restore", "copy.db")
    assert (kept.returncode, "--replace puts the backup in its place" in kept.stderr) == (1, True)
    restored = migrated("restore", "copy.db", "--replace")
    assert (restored.returncode, "switchboard.db holds what copy.db does" in restored.stderr) == (0, True)
    # A cursor from before the restore is behind what the log holds now.
    assert _head(migrated) == before + RAISED_BY
    assert migrated("renumber").returncode == 0
    assert _head(migrated) == before + 2 * RAISED_BY
    url = "postgresql://me:word@db.example.com/a"
    for command, tool in (("backup", "pg_dump"), ("restore", "pg_restore")):
        refused = migrated(command, "other.db", database_url=url)
        assert refused.stderr == (
            f"switchboard: The database is PostgreSQL: use {tool}, as docs/operations.md shows.\n"
        )


def _head(migrated: CommandLine) -> int:
    """The position of the newest event."""
    with closing(sqlite3.connect(migrated.folder / "switchboard.db")) as connection:
        (head,) = connection.execute("SELECT head FROM lane JOIN event_log ON position = head").fetchone()
    return int(head)


def test_erasures_are_exported_and_repeated(migrated: CommandLine, tmp_path: Path) -> None:
    assert migrated("migrate").returncode == 0
    database = sqlite3.connect(tmp_path / "switchboard.db")
    line = '{"customer":"cus_7","createdAt":"2026-01-05T09:00:00.000000Z","erasedAt":"2026-02-05T09:00:00.000000Z"}\n'
    (tmp_path / "erased.jsonl").write_text(line, encoding="utf-8")
    done = migrated("erasures", "repeat", "erased.jsonl")
    assert (done.returncode, done.stderr.strip()) == (0, "Of 1 erased customers 0 were there again; they are erased.")
    assert database.execute("SELECT customer_id FROM erasure").fetchall() == [(7,)]
    database.close()
    assert migrated("erasures", "export", "again.jsonl").returncode == 0
    assert (tmp_path / "again.jsonl").read_text(encoding="utf-8") == line
    (tmp_path / "erased.jsonl").write_text("nonsense", encoding="utf-8")
    refused = migrated("erasures", "repeat", "erased.jsonl")
    assert (refused.returncode, refused.stderr) == (1, "switchboard: Line 1 is no erasure.\n")
    assert migrated("erasures", "repeat", "missing.jsonl").returncode == 1


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ([], "There is no key: LISTEN_KEY has to hold one, or --key-file name a file with one."),
        (["--key-file", "missing"], "missing: [Errno 2] No such file or directory: 'missing'"),
        (["--key-file", "key", "--url", "example.com"], "--url: it has to be an address such as https://switchboard."),
        (["--key-file", "key", "--exec", "echo 'a"], "--exec: No closing quotation."),
        (["--key-file", "key", "--exec", ""], "--exec: it is empty."),
        (["--key-file", "key", "--cursor-file", "no/such/cursor"], "The cursor cannot be kept: [Errno 2] No such file"),
    ],
)
def test_listen_refuses_what_it_cannot_begin_with(switchboard: CommandLine, options: list[str], line: str) -> None:
    (switchboard.folder / "key").write_text("swk_a_key\n", encoding="utf-8")
    done = switchboard("listen", *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"switchboard: {line}")
    assert done.stderr.count("\n") == 1
