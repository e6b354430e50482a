"""Global ids are read strictly, and wrong ones are refused with the reason."""

import pytest

from app.core.errors import DomainError, InvalidInput, NotFound
from app.core.ids import GlobalId, TimeOrderedIds, parse_id, require_id


@pytest.mark.parametrize("number", [1, 17, 2**63 - 1])
def test_id_is_read_as_it_is_written(number: int) -> None:
    assert parse_id(f"ses_{number}") == GlobalId("ses", number)
    assert str(GlobalId("ses", number)) == f"ses_{number}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ses",
        "ses_",
        "ses_0",
        "ses_01",
        "ses_-1",
        f"ses_{2**63}",
        f"ses_{10**19}",
        "se_1",
        "sess_1",
        "SES_1",
        "ses_1 ",
        "ses_１",
    ],
)
def test_id_of_another_form_is_none(text: str) -> None:
    assert parse_id(text) is None


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("ses_1", InvalidInput, "This takes an id of the form cnv_… or chs_…, not 'ses_1'."),
        ("nothing", NotFound, "There is nothing with the id 'nothing'."),
        ("x" * 100, NotFound, f"There is nothing with the id '{'x' * 80}'."),
        (f"ses_{'9' * 18}", InvalidInput, f"This takes an id of the form cnv_… or chs_…, not 'ses_{'9' * 18}'."),
    ],
)
def test_id_of_another_type_is_refused(text: str, error: type[DomainError], message: str) -> None:
    with pytest.raises(error) as refused:
        require_id(text, "cnv", "chs", path=("input", "id"))
    assert (refused.value.message, refused.value.path) == (message, ("input", "id"))


def test_id_of_one_of_the_types_is_given_back() -> None:
    assert require_id("chs_7", "cnv", "chs") == GlobalId("chs", 7)


def test_new_keys_are_distinct() -> None:
    ids = TimeOrderedIds()
    keys = [ids.key("agt") for _ in range(100)]
    assert len({ids.uuid() for _ in range(100)}) == len(set(keys)) == 100
    assert all(key.startswith("agt_") for key in keys)
