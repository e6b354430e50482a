"""The picture of the packages in docs/architecture.md is what the code imports, and the modules keep their bounds."""

import ast
import os
import re
from collections import Counter
from pathlib import Path
from statistics import median

import grimp

from app.registry import KINDS

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "architecture.md"
MIGRATIONS = ROOT / "app" / "storage" / "migrations" / "versions"
"""One module for each change of the schema, which nobody edits afterwards."""

LONGEST_MODULE = 300
LONGEST_MEDIAN = 110
LARGEST_PACKAGE = 35
LONGEST_DOCSTRING = 12
"""Words of a module's docstring."""
SAYS_NOTHING = {"common", "helper", "helpers", "manager", "misc", "util", "utils"}
"""Names of modules and parts of names of classes that do not say what they own."""

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


def modules() -> dict[Path, str]:
    """The text of each module of app, apart from migrations."""
    paths = (path for path in (ROOT / "app").rglob("*.py") if MIGRATIONS not in path.parents)
    return {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in paths}


def words_of(name: str) -> set[str]:
    """The words of a name in snake or camel case, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def test_modules_are_short() -> None:
    lengths = {path: len(text.splitlines()) for path, text in modules().items()}
    assert {path: length for path, length in lengths.items() if length > LONGEST_MODULE} == {}
    assert median(length for path, length in lengths.items() if path.name != "__init__.py") <= LONGEST_MEDIAN


def test_packages_are_small() -> None:
    sizes = Counter(path.parent for path in modules() if path.name != "__init__.py")
    assert {path: size for path, size in sizes.items() if size > LARGEST_PACKAGE} == {}


def test_module_docstrings_name_what_the_module_owns_in_a_few_words() -> None:
    firsts = {path: (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0] for path, text in modules().items()}
    assert {path: first for path, first in firsts.items() if len(first.split()) > LONGEST_DOCSTRING} == {}


def test_names_of_modules_and_classes_say_what_they_own() -> None:
    named = [(path, path.stem) for path in modules()]
    for path, text in modules().items():
        named += [(path, node.name) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)]
    assert [(path, name) for path, name in named if words_of(name) & SAYS_NOTHING] == []
    assert words_of("HTTPRequestManager") == {"http", "request", "manager"}


def test_readme_names_where_behaviours_live() -> None:
    """Each path exists, for `<kind>` in every kind, and the names before a path are defined there."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = [row.split("|")[2] for row in readme.partition("Where behaviours live")[2].splitlines() if "`app/" in row]
    assert len(rows) >= 10
    for row in rows:
        names: list[str] = []
        for quoted in re.findall(r"`([^`]+)`", row):
            if not quoted.startswith("app/"):
                names.append(quoted)
                continue
            for place in [quoted.replace("<kind>", kind.name) for kind in KINDS] if "<kind>" in quoted else [quoted]:
                path = ROOT / place
                files = sorted(path.glob("*.py")) if path.is_dir() else [path]
                text = "".join(each.read_text(encoding="utf-8") for each in files)
                assert text, place
                assert [name for name in names if f"def {name}(" not in text] == [], place
            names = []
