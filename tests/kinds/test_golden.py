"""The pages' commands: every one of them says the same to curl and to the library that stands in for it."""

from pathlib import Path

import pytest

from tests.kinds.golden import Example, golden, parsed

EXAMPLES = [each for folder in sorted(Path(__file__).parent.glob("*/rest/golden")) for each in golden(folder)]


def test_every_page_has_its_examples() -> None:
    pages = [example.name.partition("_")[0] for example in EXAMPLES]
    assert sorted(set(pages)) == ["000", "001", "002", "003", "004"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_a_command_is_a_request(example: Example) -> None:
    program, *words = example.arguments("http://127.0.0.1:1", {})
    request = parsed(words)
    assert program == "curl"
    assert str(request.url).startswith("http://127.0.0.1:1/")
    assert "authorization" in request.headers or "x-api-key" in request.headers
    assert (request.method == "GET") is (request.content == b"")
