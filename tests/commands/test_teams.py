"""The command `teams`, in processes of its own."""

import re
from pathlib import Path

from tests.command_line import CommandLine, with_database


def test_teams_are_added_changed_listed_and_deleted(tmp_path: Path, sqlite_template: Path) -> None:
    switchboard = with_database(CommandLine(tmp_path), sqlite_template)
    for login in ("ana", "ben"):
        assert switchboard("user", "add", login).returncode == 0
    made = switchboard("teams", "add", "Billing", "--members", "ana", "--labels", "invoice, dunning")
    assert (made.returncode, made.stderr) == (0, "Added tea_1 (Billing).\n")
    assert switchboard("teams", "join", "BILLING", "ben").stderr == "ben is in the team BILLING.\n"
    assert switchboard("teams", "leave", "Billing", "ana").stderr == "ana is not in the team Billing.\n"
    changed = switchboard("teams", "change", "Billing", "--to", "Money", "--accounts", "cha_9", "--labels", "")
    assert changed.stderr == "Changed tea_1 (Money).\n"
    rows = [re.split(r" {2,}", line.rstrip()) for line in switchboard("teams", "list").stdout.splitlines()]
    assert rows == [["ID", "NAME", "MEMBERS", "ACCOUNTS", "LABELS"], ["tea_1", "Money", "ben", "cha_9"]]
    refused = switchboard("teams", "join", "Billing", "ben")
    assert (refused.returncode, refused.stderr) == (1, "switchboard: There is no team with the name Billing.\n")
    assert switchboard("teams", "delete", "money").stderr == "Deleted tea_1 (Money).\n"
