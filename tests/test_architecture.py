"""The picture of the packages in docs/architecture.md is what the code imports."""

import os
from pathlib import Path

import grimp

DOCUMENT = Path(__file__).parents[1] / "docs" / "architecture.md"
BEGIN, END = "<!-- packages: drawn from the imports -->\n", "<!-- end of packages -->\n"

RENEW = "SWITCHBOARD_TESTS_RENEW_PICTURE"
"""The variable of the environment with which the picture is drawn anew in place of being compared."""


def imports() -> dict[str, set[str]]:
    """Which packages and modules of app each of them imports, also for types alone."""
    graph = grimp.build_graph("app", cache_dir=None)
    names = sorted(graph.find_children("app"))
    found: dict[str, set[str]] = {}
    for name in names:
        others = (other for other in names if other != name)
        found[name.removeprefix("app.")] = {
            other.removeprefix("app.")
            for other in others
            if graph.direct_import_exists(importer=name, imported=other, as_packages=True)
        }
    return found


def drawn(found: dict[str, set[str]]) -> str:
    """The imports as a Mermaid diagram, without those that follow from others."""

    def reached(name: str) -> set[str]:
        return found[name].union(*(reached(other) for other in found[name]))

    edges = [
        f"    {name} --> {other}"
        for name in sorted(found)
        for other in sorted(found[name])
        if not any(other in reached(between) for between in found[name])
    ]
    return "\n".join([f"{BEGIN}```mermaid", "graph TD", *edges, f"```\n{END}"])


def test_picture_of_the_packages_is_what_the_code_imports() -> None:
    picture = drawn(imports())
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    shown, after = rest.split(END)
    if RENEW in os.environ:
        DOCUMENT.write_text(before + picture + after, encoding="utf-8")
    else:
        assert f"{BEGIN}{shown}{END}" == picture, f"./scripts/test tests/test_architecture.py with {RENEW}=1 draws it"


def test_picture_leaves_out_what_follows_from_other_imports() -> None:
    picture = drawn({"a": {"b", "c"}, "b": {"c"}, "c": set()})
    assert [line.strip() for line in picture.splitlines() if " --> " in line] == ["a --> b", "b --> c"]
