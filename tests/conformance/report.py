"""What came of a run, read from what the clients write, and the page that says it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_LAST = re.compile(r"(?:ok|failed) (\d+)/(\d+) (\S+) (\S+)\n?")

_INTRODUCTION = """\
# Conformance

What public clients and suites make of the server. `scripts/conformance` starts one, with an empty database, and runs
what each folder of `tests/conformance` has against it; given the names of folders, only those. Each client is installed
once, at the version below, into an environment of its own in `.conformance`. Those of npm are left out, and said to be,
on a machine without npm. `scripts/conformance --report` writes this page.
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
    lines = run.read_text(encoding="utf-8").splitlines()[1:]
    comment = []
    for line in lines:
        if not line.startswith("# "):
            break
        comment.append(line[2:])
    return " ".join(comment)


def result_of(run: Path, output: Sequence[str]) -> Result:
    """The result of a client that wrote these lines: `- ` before a check that passed, `! ` before one that did not,
    and last `ok` or `failed` with the count, the client and its version."""
    checks = tuple(line[2:].rstrip("\n") for line in output if line.startswith(("- ", "! ")))
    last = _LAST.fullmatch(output[-1]) if output else None
    if last is None:
        return Result(run.parent.name, about(run), run.parent.name, "?", 0, len(checks), checks)
    passed, total, client, version = last.groups()
    return Result(run.parent.name, about(run), client, version, int(passed), int(total), checks)


def not_run(run: Path) -> Result:
    """The result of a client that could not be tried."""
    return Result(run.parent.name, about(run), run.parent.name, "", None, 0, ())


def page(results: Iterable[Result]) -> str:
    """The page of documentation."""
    ordered = sorted(results, key=lambda result: result.folder)
    rows = ["| client | version | checks passed | what it does |", "|---|---|---|---|"]
    parts = []
    for each in ordered:
        passed = "not run" if each.passed is None else f"{each.passed} of {each.total}"
        rows.append(f"| {each.client} | {each.version} | {passed} | {each.about} |")
        if each.checks:
            listed = "\n".join(f"- {check}" for check in each.checks)
            parts.append(f"\n## {each.client}\n\n{listed}\n")
    return _INTRODUCTION + "\n" + "\n".join(rows) + "\n" + "".join(parts)
