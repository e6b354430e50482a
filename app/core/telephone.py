"""Reads telephone numbers, and makes their search entries."""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberFormat

LEAST_DIGITS = 4
"""How many of a number's last digits find it."""

LAST = "~"
"""Begins an entry with the digits in reverse order, so that a number is found by its last digits."""


class Telephone(NamedTuple):
    """A number, and the region it belongs to if it is written without its country; None when that is unknown."""

    number: str
    region: str | None = None


_TRUNK = re.compile(r"\(\s*0\s*\)")
_NUMBER = re.compile(r"\+?[0-9\s().\-/]+")
_GROUPING = str.maketrans("", "", " ().-/")


def plain(text: str) -> str:
    """The text with ASCII digits, brackets and signs, and without the "(0)" that is not dialled from abroad."""
    folded = "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in unicodedata.normalize("NFKC", text)
    )
    return _TRUNK.sub("", folded, count=1) if folded.lstrip().startswith("+") else folded


def without_grouping(text: str) -> str:
    """The plain text without the characters that people put between digits."""
    return plain(text).translate(_GROUPING)


def is_region(text: str) -> bool:
    """Whether the country has a numbering plan; the country is a code of ISO 3166 (`NO`)."""
    return text in phonenumbers.SUPPORTED_REGIONS


def number_entries(number: str, region: str | None) -> list[str]:
    """The distinct entries under which a customer with this number is found, each followed by a space.

    They are the digits of the number as stored, in its international and in its national form, and in the other
    spellings that reach the same person. Each is there in its order, and in reverse behind `LAST`. `region` is where a
    number without its country belongs."""
    forms = dict.fromkeys(_digits(form) for form in (number, *_forms(number, region)))
    return [f"{entry} " for digits in forms if digits for entry in (digits, f"{LAST}{digits[::-1]}")]


def number_terms(text: str) -> list[str] | None:
    """For a search that is only a telephone number, the terms of which one must begin an entry. None for other
    searches.

    Digits match a number's first digits; four or more also match its last digits."""
    given = plain(text.strip())
    if _NUMBER.fullmatch(given) is None or not (digits := _digits(given)):
        return None
    if given.startswith("00"):
        digits = digits[2:] or digits
    return [digits] if len(digits) < LEAST_DIGITS else [digits, f"{LAST}{digits[::-1]}"]


def _forms(number: str, region: str | None) -> Iterator[str]:
    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return
    for candidate in _candidates(parsed):
        yield phonenumbers.format_number(candidate, PhoneNumberFormat.E164)
        yield phonenumbers.format_number(candidate, PhoneNumberFormat.NATIONAL)


def _candidates(parsed: phonenumbers.PhoneNumber) -> Iterator[phonenumbers.PhoneNumber]:
    """The number and its other spellings. Mobile numbers of Brazil, Mexico and Argentina have, or had, one more digit,
    which WhatsApp and people leave out or add."""
    yield parsed
    other: str | None = None
    national = str(parsed.national_number)
    match parsed.country_code, len(national):
        case 55, 11 if national[2] == "9":
            other = national[:2] + national[3:]
        case 55, 10 if national[2] in "6789":
            other = f"{national[:2]}9{national[2:]}"
        case 52, 11 if national[0] == "1":
            other = national[1:]
        case 52, 10:
            other = f"1{national}"
        case 54, 11 if national[0] == "9":
            other = national[1:]
        case 54, 10:
            other = f"9{national}"
    if other is not None:
        yield phonenumbers.PhoneNumber(country_code=parsed.country_code, national_number=int(other))


def _digits(text: str) -> str:
    return "".join(character for character in text if character.isdecimal())
