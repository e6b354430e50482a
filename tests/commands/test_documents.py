"""The command `documents`, and those that link people to users."""

import hashlib
from pathlib import Path

import orjson
import pytest

from tests.command_line import CommandLine, with_database


@pytest.fixture
def run(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def test_documents_are_added_and_listed_by_their_ids(run: CommandLine, tmp_path: Path) -> None:
    text = "{ viewer { user { id } } }\n"
    document_id = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    (tmp_path / "good.graphql").write_bytes(text.encode())
    added = run("documents", "add", "good.graphql", documents_folder="kept")
    assert (added.returncode, added.stdout.split()[-2:]) == (0, [document_id, "good.graphql"])
    listed = run("documents", "list", documents_folder="kept")
    assert listed.stdout.split()[-2:] == [document_id, str(len(text))]
    (tmp_path / "bad.graphql").write_text("{ nothing }")
    refused = run("documents", "add", "good.graphql", "bad.graphql", documents_folder="new")
    assert refused.returncode == 1
    assert refused.stderr.startswith("switchboard: bad.graphql: Cannot query field 'nothing'")
    assert not (tmp_path / "new").exists()
    assert "SWITCHBOARD_DOCUMENTS_FOLDER" in run("documents", "add", "good.graphql").stderr


def test_people_are_linked_listed_and_unlinked(run: CommandLine, sqlite_template: Path) -> None:
    run = with_database(run, sqlite_template)
    login = "https://login.example.com"
    issuers = orjson.dumps([{"issuer": login, "audiences": ["a"]}]).decode()
    assert run("user", "add", "ana").returncode == 0
    assert run("user", "link", "ana", login, "7f3c", issuers=issuers).returncode == 0
    listed = run("user", "identities", "ana", issuers=issuers)
    assert listed.stdout.splitlines()[1].split()[:3] == ["idn_1", login, "7f3c"]
    refused = run("user", "link", "ana", "https://other.example.com", "7f3c", issuers=issuers)
    assert (refused.returncode, "has no issuer" in refused.stderr) == (1, True)
    assert run("user", "unlink", "ana", login, "7f3c", issuers=issuers).returncode == 0
    assert len(run("user", "identities", "ana", issuers=issuers).stdout.splitlines()) == 1
