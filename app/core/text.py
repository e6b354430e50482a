"""How text is folded for search, and what no text may hold."""

import re
import unicodedata

_LONGEST_WORD = 64
_MOST_TERMS = 16
_TELEPHONE = re.compile(r"\+?[\d\s().\-/]+", re.ASCII)
_REFUSED = re.compile("[\x00\ud800-\udfff]")


def fold(text: str) -> str:
    """Decompose (NFKD), drop marks, fold case: what differs only by accent, width or case becomes equal."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(character for character in decomposed if not unicodedata.category(character).startswith("M"))
    # Folding case can bring compatibility characters back (U+1E9E gives "ss" only after it), hence the second pass.
    return unicodedata.normalize("NFKD", bare.casefold())


def words(text: str) -> list[str]:
    """The folded words of the text in their order: runs of letters and digits, at most 64 characters of each."""
    spaced = "".join(character if character.isalnum() else " " for character in fold(text))
    return [word[:_LONGEST_WORD] for word in spaced.split()]


def index_words(*texts: str | None) -> list[str]:
    """The distinct entries under which a searchable row is kept; `search_terms` says how they are met.

    Each word ends in a space; the first entry is a lone space, which the search for nothing meets."""
    return list(dict.fromkeys([" ", *(f"{word} " for text in texts if text for word in words(text))]))


def search_terms(text: str) -> list[str]:
    """The distinct prefixes that a row's entries must all meet: whole words closed by a space, the last one open.

    A text that is only a telephone number, however it is grouped, is one word. At most 16 words count."""
    if _TELEPHONE.fullmatch(text.strip()):
        text = "".join(character for character in text if character.isdigit())
    *whole, last = words(text)[:_MOST_TERMS] or [" "]
    return list(dict.fromkeys([*(f"{word} " for word in whole), last]))


def is_storable(text: str) -> bool:
    """Whether both databases and UTF-8 can hold the text: no NUL, no lone surrogate."""
    return _REFUSED.search(text) is None
