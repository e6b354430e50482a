"""The changes that the mutation run makes."""

import pytest

from tests.mutants.changes import changes


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("a = 1 <= b is not c", ["a = 2 <= b is not c", "a = 1 < b is not c", "a = 1 <= b is c"]),
        ("a = (b) and not c", ["a = (b) or not c", "a = (b) and c"]),
        ("def f(é: int = 7) -> int:\n    return é + g()", ["é: int = 8", "return None", "é - g()"]),
        ("if é.b():\n    c('é')\nelse:\n    d = True", ["if not é.b()", "    pass\nelse", "d = False"]),
        ("from x import TYPE_CHECKING\nif TYPE_CHECKING:\n    a()", []),
        ("x: Literal[1] = 'a < b'  # True", []),
    ],
)
def test_changes_of_a_module_are_each_one_small_piece(code: str, changed: list[str]) -> None:
    made = [each.applied(code.encode()).decode() for each in changes(code.encode())]
    assert len(made) == len(changed)
    assert all(wanted in result for wanted, result in zip(changed, made, strict=True)), made
