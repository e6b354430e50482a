import re
from pathlib import Path

import pytest

from app.commands import breaking
from app.terminal import CommandError
from tests.command_line import ROOT, CommandLine

RELEASED = """
directive @late(by: Int) on FIELD
interface Thing { id: ID!, name: String }
type Book implements Thing { id: ID!, name: String, pages(first: Int): Int }
type Film implements Thing { id: ID!, name: String }
union Work = Book | Film
enum Order { UP, DOWN }
input Which { id: ID! }
input Edit { name: String }
type Query { thing: Thing, find(which: Which!): Work, change(edit: Edit, order: Order): Int }
"""


@pytest.mark.parametrize(
    ("old", "new", "sentence", "names"),
    [
        (
            "pages(first: Int): Int",
            "pages(last: Int): Int",
            "Argument Book.pages(first:) was removed.",
            ["Book.pages(first:)"],
        ),
        (
            "pages(first: Int): Int",
            "pages(first: Int!): Int",
            "Argument Book.pages(first:) has changed type from Int to Int!.",
            ["Book.pages(first:)"],
        ),
        (
            "pages(first: Int): Int",
            "pages(first: Int): String",
            "Field Book.pages changed type from Int to String.",
            ["Book.pages"],
        ),
        ("UP, DOWN", "UP", "Enum value Order.DOWN was removed.", ["Order.DOWN"]),
        ("= Book | Film", "= Book", "Film was removed from union type Work.", ["Film", "Work"]),
        (
            "Edit { name: String",
            "Edit { name: String, text: String!",
            "A required field Edit.text was added.",
            ["Edit.text"],
        ),
        ("directive @late(by: Int) on FIELD", "", "Directive @late was removed.", ["@late"]),
        ("@late(by: Int)", "@late", "Argument @late(by:) was removed.", ["@late(by:)"]),
    ],
)
def test_breaking_change_is_refused_unless_its_coordinate_is_named(
    old: str, new: str, sentence: str, names: list[str]
) -> None:
    current = RELEASED.replace(old, new)
    assert current != RELEASED
    assert breaking.unnamed(RELEASED, current, "") == [sentence]
    # Other coordinates, and the same without backticks, name nothing.
    others = "`Book`, `Book.name`, `Order`, `Edit`, `by`, `Int`, `String`, `type`, `Query.thing`"
    assert breaking.unnamed(RELEASED, current, f"{others} and {' '.join(names)}") == [sentence]
    for name in names:
        assert breaking.unnamed(RELEASED, current, f"- `{name}` is another one now.") == []


def test_breaking_change_of_an_interface_covers_its_types() -> None:
    current = RELEASED.replace("name: String }", "title: String }").replace(
        "name: String, pages", "title: String, pages"
    )
    current = current.replace("Edit { title", "Edit { name")
    changes = [f"Field {each}.name was removed." for each in ("Book", "Film", "Thing")]
    assert breaking.unnamed(RELEASED, current, "") == changes
    assert breaking.unnamed(RELEASED, current, "`Thing.name` is `title`.") == []
    assert breaking.unnamed(RELEASED, current, "`Book.name` is `title`.") == changes[1:]


def test_breaking_change_of_a_name_covers_the_fields_that_had_the_type() -> None:
    current = RELEASED.replace("Which", "Reference")
    changes = [
        "Argument Query.find(which:) has changed type from Which! to Reference!.",
        "Which was removed.",
    ]
    assert breaking.unnamed(RELEASED, current, "") == changes
    assert breaking.unnamed(RELEASED, current, "`Reference` is new.") == changes
    assert breaking.unnamed(RELEASED, current, "`Which` is `Reference`.") == []


def test_breaking_changes_are_none_where_only_something_was_added() -> None:
    current = RELEASED.replace("pages(first: Int)", "pages(first: Int = 20, last: Int)") + "type New { id: ID! }"
    assert breaking.unnamed(RELEASED, current, "") == []


def test_coming_release_is_the_first_section() -> None:
    assert breaking.coming("# Changelog\n\n`A`\n\n## Unreleased\n\n`B`\n\n## 1.0.0\n\n`C`\n").strip() == "`B`"
    with pytest.raises(CommandError, match="no section"):
        breaking.coming("# Changelog\n")


def test_released_schema_is_the_same_one_without_descriptions() -> None:
    text = breaking.without_descriptions((ROOT / "schema.graphql").read_text(encoding="utf-8"))
    assert '"""' not in text
    assert breaking.unnamed((ROOT / "schema.graphql").read_text(encoding="utf-8"), text, "") == []
    assert breaking.unnamed(text, (ROOT / "schema.graphql").read_text(encoding="utf-8"), "") == []


def test_check_refuses_a_breaking_change_and_accepts_it_when_it_is_named(tmp_path: Path) -> None:
    switchboard = CommandLine(tmp_path)
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased\n", encoding="utf-8")
    written = switchboard("schema", "--release")
    assert (written.returncode, written.stdout, written.stderr) == (0, "", "")
    assert switchboard("schema", "--check").returncode == 0
    released = tmp_path / "released.graphql"
    text = released.read_text(encoding="utf-8")
    released.write_text(re.sub(r"(?m)^type Viewer \{", "type Viewer {\n  nickname: String", text), encoding="utf-8")
    refused = switchboard("schema", "--check")
    assert (refused.returncode, refused.stdout) == (1, "Field Viewer.nickname was removed.\n")
    assert "does not name these breaking changes" in " ".join(refused.stderr.split())
    (tmp_path / "CHANGELOG.md").write_text("## Unreleased\n\n- `Viewer.nickname` is gone.\n", encoding="utf-8")
    accepted = switchboard("schema", "--check")
    assert (accepted.returncode, accepted.stdout, accepted.stderr) == (0, "", "")
