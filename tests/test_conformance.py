"""The runner of public clients: what it counts, the page it writes, and the pages whose code they run."""

import json
import re
from pathlib import Path

import pytest

from tests.conformance.report import Result, not_run, page, result_of

CLIENTS = Path(__file__).parent / "conformance"
DOCS = Path(__file__).parents[1] / "docs"
RUN = CLIENTS / "graphql_http" / "run"
ABOUT = "Every audit of GraphQL over HTTP that the suite has: what servers must, should and may do."
FOLDERS = sorted(path.parent.name for path in CLIENTS.glob("*/run"))
RUN_BY = {
    ("The alert, with graphql-ws", "js"): "graphql_ws/client.mjs",
    ("With Server-Sent Events", "js"): "graphql_sse/client.mjs",
    ("With Server-Sent Events", "sh"): "graphql_sse/client.mjs",
    ("With Apollo Client", "js"): "apollo/client.mjs",
    ("With urql", "js"): "urql/client.mjs",
    ("With Python", "python"): "gql_python/client.py",
}


@pytest.mark.parametrize(
    ("output", "status", "client", "version", "passed", "total"),
    [
        (["- one", "ok 1/1 graphql-http 1.23.1"], 0, "graphql-http", "1.23.1", 1, 1),
        (["- one", "! two", "failed 1/2 graphql-http 1.23.1"], 1, "graphql-http", "1.23.1", 1, 2),
        (["- one", "ok 1/1 graphql-http 1.23.1"], 1, "graphql-http", "1.23.1", 1, 2),
        (["- one", "! two"], 1, "graphql_http", "", 1, 3),
        (["- one"], 0, "graphql_http", "", 1, 2),
        ([], 0, "graphql_http", "", 0, 1),
    ],
)
def test_a_client_is_counted_by_what_it_writes(
    output: list[str], status: int, client: str, version: str, passed: int, total: int
) -> None:
    checks = ("one", "two")[: sum(line[0] in "-!" for line in output)]
    assert result_of(RUN, output, status) == Result("graphql_http", ABOUT, client, version, passed, total, checks)


def test_the_page_has_a_row_for_each_client_and_its_checks() -> None:
    results = [not_run(CLIENTS / "urql" / "run"), result_of(RUN, ["- one", "ok 1/1 graphql-http 1.23.1"], 0)]
    written = page(results)
    assert written == page(reversed(results))
    assert written.endswith(
        "| client | version | checks passed | what it is |\n|---|---|---|---|\n"
        f"| `graphql-http` | 1.23.1 | 1 of 1 | {ABOUT} |\n"
        f"| `urql` |  | not run | {results[0].about} |\n"
        "\n## graphql-http\n\n- one\n"
    )


def test_the_committed_page_is_of_every_client_at_its_version_and_all_checks_passed() -> None:
    written = (DOCS / "conformance.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([^`]+)` \| (\S+) \| (\d+) of (\d+) \| (.+) \|$", written, re.MULTILINE)
    assert [row[4] for row in rows] == [not_run(CLIENTS / name / "run").about for name in FOLDERS]
    for name, (client, version, passed, total, _) in zip(FOLDERS, rows, strict=True):
        assert passed == total, client
        assert pinned(CLIENTS / name)[client] == version


def pinned(folder: Path) -> dict[str, str]:
    """The versions that a client's folder asks for, by name."""
    if (folder / "package.json").exists():
        found: dict[str, str] = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
        return found
    lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return dict(re.sub(r"\[.*\]", "", line).split("==") for line in lines)


@pytest.mark.parametrize("name", FOLDERS)
def test_versions_are_exact_and_named_without_a_place_to_get_them_from(name: str) -> None:
    for version in pinned(CLIENTS / name).values():
        assert re.fullmatch(r"(npm:\w+@)?\d+\.\d+\.\d+", version)


def test_all_code_of_the_page_about_live_data_is_run() -> None:
    text = (DOCS / "live.md").read_text(encoding="utf-8")
    shown = [
        (section.partition("\n")[0], language)
        for section in text.split("\n## ")[1:]
        for language in re.findall(r"^```(\w+)$", section, re.MULTILINE)
    ]
    assert shown == list(RUN_BY)
    for (heading, _), client in RUN_BY.items():
        assert heading in (CLIENTS / client).read_text(encoding="utf-8")


def test_all_receivers_of_the_page_about_alerts_are_run() -> None:
    text = (DOCS / "alerts.md").read_text(encoding="utf-8")
    client = (CLIENTS / "standard_webhooks" / "client.mjs").read_text(encoding="utf-8")
    shown = re.findall(r"^### (Receive in .+)\n\n```(\w+)$", text, re.MULTILINE)
    assert [language for _, language in shown] == ["python", "js"]
    for heading, language in shown:
        assert f'"{heading}", "{language}"' in client
