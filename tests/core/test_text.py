"""Texts that a person calls the same are found as the same."""

import pytest

from app.core.text import fold, index_words, is_storable, search_terms, words


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ÉCLAIR", "eclair"),
        ("e\u0301clair", "eclair"),
        ("ﬁn", "fin"),
        ("Straße", "strasse"),
        ("STRAẞE", "strasse"),
        ("Ａｎａ１", "ana1"),
        ("Øre", "øre"),
        ("İzmir", "izmir"),
        ("Ω", "ω"),
        ("हिन्दी", "हनद"),
        ("", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold(folded) == folded


def test_words_are_runs_of_letters_and_digits() -> None:
    assert words("Ána-Bérg <ana@example.com>, №5") == ["ana", "berg", "ana", "example", "com", "no5"]
    assert words(" \t\n!?") == []
    assert words("x" * 100) == ["x" * 64]


def test_index_and_terms_meet() -> None:
    entries = index_words("Ána Bérg", None, "+4915224367929")
    assert entries == [" ", "ana ", "berg ", "4915224367929 "]

    def is_found(search: str) -> bool:
        return all(any(entry.startswith(term) for entry in entries) for term in search_terms(search))

    for search in ("ana", "AN", "berg ana", "ana b", "ana ana", "+49 152 243", "(49)152", "", " ", "!"):
        assert is_found(search), search
    for search in ("an berg", "anab", "erg", "ana bergs", "+49 99"):
        assert not is_found(search), search


def test_terms_are_bounded_and_distinct() -> None:
    assert search_terms("a a b") == ["a ", "b"]
    assert search_terms("  ") == [" "]
    assert len(search_terms(" ".join(f"w{number}" for number in range(100)))) == 16


@pytest.mark.parametrize(("text", "storable"), [("a\n\t", True), ("\0", False), ("\ud800", False), ("😀", True)])
def test_what_databases_cannot_hold(text: str, storable: bool) -> None:
    assert is_storable(text) is storable
