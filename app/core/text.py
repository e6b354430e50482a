"""Folds and cuts text for search; what text may not contain."""

import unicodedata
from collections.abc import Iterator
from enum import Enum, auto
from functools import lru_cache
from itertools import groupby, pairwise

MOST_TERMS = 32

_LONGEST_WORD = 64
# Letters with an addition, for which Unicode has no decomposition, and ligatures.
_LETTERS = str.maketrans(
    {
        "đ": "d",
        "ð": "d",
        "ɖ": "d",
        "ɗ": "d",
        "ø": "o",
        "ɔ": "o",
        "ɵ": "o",
        "ł": "l",
        "ħ": "h",
        "ı": "i",
        "ɨ": "i",
        "ŧ": "t",
        "ƭ": "t",
        "ŋ": "n",
        "ɲ": "n",
        "ƞ": "n",
        "ƙ": "k",
        "ĸ": "k",
        "ƒ": "f",
        "ɓ": "b",
        "ƀ": "b",
        "ɠ": "g",
        "ǥ": "g",
        "ƴ": "y",
        "ʉ": "u",
        "ə": "e",
        "ɛ": "e",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)
# Marks that are accents, or vowels that most writers leave out, of Latin, Greek, Cyrillic, Hebrew and Arabic letters;
# and marks that choose a glyph. All other marks (Japanese voicing, Indic vowels, Thai tones) change the word.
_ACCENTS = (
    *((0x0300, 0x036F), (0x0483, 0x0489), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F)),
    *((0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F), (0x0670, 0x0670), (0x06D6, 0x06ED), (0x08D3, 0x08FF)),
    *((0xFE00, 0xFE0F), (0xE0100, 0xE01EF)),
)
# Scripts without spaces between words, or with particles attached to words: Thai, Lao, Burmese, Khmer, Korean, Japanese
# and Chinese.
_UNSPACED = (
    *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x3005, 0x3007), (0x302A, 0x302F)),
    *((0x3031, 0x3035), (0x3041, 0x30FF), (0x3105, 0x318F), (0x31A0, 0x31BF), (0x31F0, 0x31FF), (0x3400, 0x4DBF)),
    *((0x4E00, 0x9FFF), (0xA960, 0xA97F), (0xA9E0, 0xA9FE), (0xAA60, 0xAA7F), (0xAC00, 0xD7FF), (0xF900, 0xFAFF)),
    *((0x1AFF0, 0x1B16F), (0x20000, 0x3FFFF)),
)
_ZERO_WIDTH_SPACE = "\u200b"


class _Sort(Enum):
    SPACED = auto()
    UNSPACED = auto()
    BETWEEN = auto()


def key_form(text: str) -> str:
    """The form in which a login is unique: decomposed, without marks, in lower case. It is stored, so it never
    changes."""
    decomposed = unicodedata.normalize("NFKD", text)
    bare = "".join(character for character in decomposed if not unicodedata.category(character).startswith("M"))
    return unicodedata.normalize("NFKD", bare.casefold())


def fold(text: str) -> str:
    """The form in which a search compares texts. Folding a folded text changes nothing.

    Texts become equal when they only differ in case, width, accents or the script of their digits. Letters with a
    stroke or a hook become their base letter; ligatures become their parts."""
    if text.isascii():
        return text.lower()
    bare = _without_accents(text).casefold().translate(_LETTERS)
    # Folding case can bring compatibility characters back (U+1E9E gives "ss" only then), hence the second pass.
    return unicodedata.normalize("NFC", _without_accents(bare))


def entries(text: str) -> list[str]:
    """The entries by which the text is found, in order: words, cut to 64 characters. In a script without spaces, each
    pair of neighbouring characters, and the last character of a run alone."""
    found: list[str] = []
    for run, unspaced in _runs(text):
        if unspaced:
            found.extend(first + second for first, second in pairwise(run))
            found.append(run[-1])
        else:
            found.append(run[:_LONGEST_WORD])
    return found


def terms(text: str) -> list[str]:
    """The distinct search terms of a text. A text is found when each of its terms matches an entry. A term that ends in
    a space matches an equal entry, any other term an entry that begins with it.

    The last word may be incomplete. A single character of a script without spaces matches anywhere."""
    runs = list(_runs(text))
    found: list[str] = []
    for place, (run, unspaced) in enumerate(runs):
        if unspaced and len(run) > 1:
            found.extend(f"{first}{second} " for first, second in pairwise(run))
        else:
            is_whole = not unspaced and place < len(runs) - 1
            found.append(run[:_LONGEST_WORD] + " " * is_whole)
    return list(dict.fromkeys(found))


def index_entries(*texts: str | None) -> list[str]:
    """The distinct entries under which a searchable row is stored, each followed by a space.

    The first is a single space, which an empty search matches."""
    return list(dict.fromkeys([" ", *(f"{entry} " for text in texts if text for entry in entries(text))]))


def search_terms(text: str) -> list[str]:
    """The terms of a search among `index_entries`, at most 32."""
    return terms(text)[:MOST_TERMS] or [" "]


def is_storable(text: str) -> bool:
    """Whether both databases and UTF-8 can hold the text: no NUL, no lone surrogate."""
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()  # many times as fast as a search, which would hold up everybody for the longest texts
    except UnicodeEncodeError:
        return False
    return True


def _without_accents(text: str) -> str:
    return "".join(map(_bare, unicodedata.normalize("NFKD", text)))


@lru_cache(maxsize=8192)
def _bare(character: str) -> str:
    """What remains of a decomposed character: nothing of an accent or a formatting character, and the ASCII form of a
    digit."""
    if character == _ZERO_WIDTH_SPACE:
        return " "
    match unicodedata.category(character):
        case "Mn" | "Me" if _is_in(character, _ACCENTS):
            return ""
        case "Cf":
            return ""
        case "Nd":
            return str(unicodedata.decimal(character))
        case _:
            return character


@lru_cache(maxsize=8192)
def _sort(character: str) -> _Sort:
    if not character.isalnum() and not unicodedata.category(character).startswith("M"):
        return _Sort.BETWEEN
    return _Sort.UNSPACED if _is_in(character, _UNSPACED) else _Sort.SPACED


def _is_in(character: str, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= ord(character) <= last for first, last in ranges)


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """The runs of letters, digits and their marks in a folded text, each with whether its script has no spaces."""
    for sort, run in groupby(fold(text), _sort):
        if sort is not _Sort.BETWEEN:
            yield "".join(run), sort is _Sort.UNSPACED
