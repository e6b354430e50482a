"""Texts that a person calls the same are found as the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.text import entries, fold, index_entries, is_storable, key_form, search_terms, terms


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ÉCLAIR", "eclair"),
        ("e\u0301clair", "eclair"),
        ("ﬁn", "fin"),
        ("Straße", "strasse"),
        ("STRAẞE", "strasse"),
        ("Ａｎａ１", "ana1"),
        ("Øre Đà Łódź ılık Ħ Æ Œuvre Þór", "ore da lodz ilik h ae oeuvre thor"),
        ("İzmir", "izmir"),
        ("Ω", "ω"),
        ("हिन्दी", "हिन्दी"),
        ("か が ｶﾞ", "か が ガ"),
        ("שָׁלוֹם مُحَمَّد أحمد", "שלום محمد احمد"),
        ("Й Ё Ά", "и е α"),
        ("한국", "한국"),
        ("๒๐ ٣٤ １２", "20 34 12"),
        ("co\u00adoperate नम\u200dस्ते", "cooperate नमस्ते"),
        ("", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded
    assert fold(folded) == folded


def test_entries_are_runs_of_letters_and_digits() -> None:
    assert entries("Ána-Bérg <ana@example.com>, №5") == ["ana", "berg", "ana", "example", "com", "no5"]
    assert entries(" \t\n!?") == []
    assert entries("x" * 100) == ["x" * 64]


def test_entries_are_pairs_where_a_script_has_no_spaces() -> None:
    assert entries("猫が好き。Yes") == ["猫が", "が好", "好き", "き", "yes"]
    assert entries("iPhone15を買う") == ["iphone15", "を買", "買う", "う"]
    assert entries("हिन्दी में") == ["हिन्दी", "में"]


@pytest.mark.parametrize("character", ["\u1000", "\u4dbf", "\u4e00", "\u9fff", "\U00020000"])
def test_entries_are_pairs_up_to_both_ends_of_a_script(character: str) -> None:
    assert entries(2 * character) == [2 * character, character]


def test_terms_say_how_they_are_met() -> None:
    assert terms("Ana b") == ["ana ", "b"]
    assert terms("猫 犬 a") == ["猫", "犬", "a"]
    assert terms("好き a") == ["好き ", "a"]
    assert terms("ana 好き") == ["ana ", "好き "]


def test_index_and_terms_meet() -> None:
    found = index_entries("Ána Bérg", None, "+4915224367929")
    assert found == [" ", "ana ", "berg ", "4915224367929 "]

    def is_found(search: str) -> bool:
        return all(any(entry.startswith(term) for entry in found) for term in search_terms(search))

    for search in ("ana", "AN", "berg ana", "ana b", "ana ana", "4915", "", " ", "!"):
        assert is_found(search), search
    for search in ("an berg", "anab", "erg", "ana bergs", "+49 99"):
        assert not is_found(search), search


def test_terms_are_bounded_and_distinct() -> None:
    assert search_terms("a a b") == ["a ", "b"]
    assert search_terms("  ") == [" "]
    assert len(search_terms(" ".join(f"w{number}" for number in range(100)))) == 32


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(TEXTS)
def test_folded_text_folds_to_itself(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert terms(fold(text)) == terms(text)


@given(TEXTS)
def test_text_finds_itself(text: str) -> None:
    found = [f"{entry} " for entry in entries(text)]
    assert all(any(entry.startswith(term) for entry in found) for term in terms(text))


def test_key_form_never_changes() -> None:
    assert [key_form(text) for text in ("Øre", "ÉCLAIR", "STRAẞE", "हिन्दी", "か゛")] == [
        *("øre", "eclair", "strasse", "हनद", "か "),
    ]


@pytest.mark.parametrize(("text", "storable"), [("a\n\t", True), ("\0", False), ("\ud800", False), ("😀", True)])
def test_what_databases_cannot_hold(text: str, storable: bool) -> None:
    assert is_storable(text) is storable
