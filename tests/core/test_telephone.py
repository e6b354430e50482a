"""Telephone numbers are found however they are written."""

import pytest

from app.core.telephone import is_region, number_entries, number_terms, plain, without_grouping


def is_found(number: str, search: str, region: str | None = None) -> bool:
    terms = number_terms(search)
    assert terms is not None
    return any(entry.startswith(term) for entry in number_entries(number, region) for term in terms)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("+49 (152) 243", "+49152243"),
        ("+44 (0)20 7946-0958", "+442079460958"),
        ("＋４７（２２）１２３４５６", "+4722123456"),
        ("+٤٧ ٢٢١٢٣٤٥٦", "+4722123456"),
        ("(0)22 12", "02212"),
        ("22 12 34 56", "22123456"),
    ],
)
def test_telephone_number_is_kept_plain(text: str, kept: str) -> None:
    assert without_grouping(text) == kept
    assert without_grouping(kept) == kept
    assert plain(plain(text)) == plain(text)


def test_telephone_number_loses_only_its_first_zero_in_brackets() -> None:
    assert plain("+44 (0)20 (0)79") == "+44 20 (0)79"


@pytest.mark.parametrize(
    ("number", "search"),
    [
        ("+4722123456", "+47 22 12"),
        ("+4722123456", "22 12 34 56"),
        ("+4722123456", "0047 22 12 34 56"),
        ("+4722123456", "3456"),
        ("+4722123456", "３４５６"),
        ("+4915224367929", "0152 24367929"),
        ("+442079460958", "+44 (0)20 7946 0958"),
        ("+442079460958", "020 7946 0958"),
        ("+5511987654321", "+55 11 8765-4321"),
        ("+551187654321", "+55 11 98765-4321"),
        ("+5215512345678", "+52 55 1234 5678"),
        ("+525512345678", "+52 1 55 1234 5678"),
        ("+5491123456789", "+54 11 2345 6789"),
        ("+541123456789", "+54 9 11 2345 6789"),
        ("+5491123456789", "011 15-2345-6789"),
        ("22123456", "2212"),
    ],
)
def test_telephone_number_is_found(number: str, search: str) -> None:
    assert is_found(number, search)


@pytest.mark.parametrize(
    ("number", "search"),
    [("+4722123456", "456"), ("+4722123456", "1234"), ("+4722123456", "+46"), ("+551133334444", "+55 11 93333-4444")],
)
def test_telephone_number_is_not_found_by_others(number: str, search: str) -> None:
    assert not is_found(number, search)


def test_telephone_number_without_its_country_belongs_to_the_region() -> None:
    assert is_found("22123456", "+47 22 12 34 56", "NO")
    assert is_found("0152 24367929", "+49 152 24367929", "DE")
    assert not is_found("22123456", "+47 22 12 34 56")
    assert is_region("NO")
    assert not is_region("no")


@pytest.mark.parametrize("text", ["", "+", "Ana", "22 Ana", "()"])
def test_search_for_something_else_is_no_telephone_number(text: str) -> None:
    assert number_terms(text) is None


@pytest.mark.parametrize("number", ["", "123", "+1", "9" * 31, "+0"])
def test_telephone_number_of_no_numbering_plan_has_its_digits_alone(number: str) -> None:
    digits = number.removeprefix("+")
    assert set(number_entries(number, "NO")) >= ({f"{digits} "} if digits else set())
