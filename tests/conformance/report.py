"""What came of a run, read from what the clients write, and the page that says it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_LAST = re.compile(r"(?:ok|failed) (\d+)/(\d+) (\S+) (\S+)")

_INTRODUCTION = """\
# Conformance

What public clients and suites make of the server. `scripts/conformance` runs what each folder of `tests/conformance`
holds, or the folders that it is given the names of, each against a server that it starts with an empty database. Each
client is installed once, at the version below, into an environment of its own in `.conformance`. Those of npm are left
out, and said to be, on a machine without npm. `scripts/conformance --report` writes this page.
"""


@dataclass(frozen=True)
class Result:
    """One client: what it is, and its checks. `passed` is None when it was not run."""

    folder: str
    about: str
    client: str
    version: str
    passed: int | None
    total: int
    checks: tuple[str, ...]


def about(run: Path) -> str:
    """What a client does, as the comment at the head of its `run` says."""
    comment = []
    for line in run.read_text(encoding="utf-8").splitlines()[1:]:
        if not line.startswith("# "):
            break
        comment.append(line[2:])
    return " ".join(comment)


def result_of(run: Path, output: Sequence[str], status: int) -> Result:
    """The result of a client that wrote these lines and ended with this status.

    Lines are `- ` and a check that passed, `! ` and one that did not, and last `ok` or `failed` with the count, the
    client and its version. A client that ends otherwise has failed one check more."""
    checks = tuple(line[2:] for line in output if line.startswith(("- ", "! ")))
    last = _LAST.fullmatch(output[-1]) if output else None
    if last is None:
        passed = sum(line.startswith("- ") for line in output)
        return Result(run.parent.name, about(run), run.parent.name, "", passed, len(checks) + 1, checks)
    passed, total = int(last[1]), int(last[2])
    if status and passed == total:
        total += 1
    return Result(run.parent.name, about(run), last[3], last[4], passed, total, checks)


def not_run(run: Path) -> Result:
    """The result of a client that could not be tried."""
    return Result(run.parent.name, about(run), run.parent.name, "", None, 0, ())


def page(results: Iterable[Result]) -> str:
    """The page of documentation, which says the same of the same results."""
    rows = ["| client | version | checks passed | what it is |", "|---|---|---|---|"]
    sections = []
    for each in sorted(results, key=lambda result: result.folder):
        passed = "not run" if each.passed is None else f"{each.passed} of {each.total}"
        rows.append(f"| `{each.client}` | {each.version} | {passed} | {each.about} |")
        if each.checks:
            sections += ["", f"## {each.client}", "", *(f"- {check}" for check in each.checks)]
    return "\n".join([_INTRODUCTION, *rows, *sections, ""])
