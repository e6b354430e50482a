from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from app.core.errors import DomainError, InvalidInput, TooLong
from app.interactions.contents import checked_contents, plain_text, require_emoji

FILE = {"mime_type": "image/png", "uuid": "u"}


def checked(*contents: Mapping[str, Any]) -> tuple[Mapping[str, object], ...]:
    return checked_contents(contents, lambda: "new")


def test_every_field_of_a_type_is_there() -> None:
    assert checked({"type": "image", **FILE}, {"type": "contact", "name": {"formatted_name": "A"}}) == (
        {
            "type": "image",
            "has_file": True,
            "uuid": "u",
            "name": None,
            "mime_type": "image/png",
            "size": None,
            "download_url": None,
            "public_download_url": None,
            "caption": None,
        },
        {
            "type": "contact",
            "name": {
                "formatted_name": "A",
                "first_name": None,
                "middle_name": None,
                "last_name": None,
                "prefix": None,
                "suffix": None,
            },
            "birthday": None,
            "phones": [],
            "emails": [],
            "addresses": [],
            "org": None,
        },
    )


def test_a_file_without_its_id_gets_one() -> None:
    (content,) = checked({"type": "audio", "mime_type": "audio/ogg", "download_url": "https://a.b/c"})
    assert (content["uuid"], content["voice"]) == ("new", False)


def test_a_birthday_is_kept_as_its_day() -> None:
    (content,) = checked({"type": "contact", "name": {"formatted_name": "A"}, "birthday": date(1970, 1, 31)})
    assert content["birthday"] == "1970-01-31"


@pytest.mark.parametrize(
    ("content", "path", "error"),
    [
        ({}, ("type",), InvalidInput),
        ({"type": "sticker"}, ("type",), InvalidInput),
        ({"type": "text"}, ("text", "content"), InvalidInput),
        ({"type": "text", "content": 5}, ("text", "content"), InvalidInput),
        ({"type": "text", "content": "a\0b"}, ("text", "content"), InvalidInput),
        ({"type": "text", "content": "a", "bold": True}, ("text", "bold"), InvalidInput),
        ({"type": "image", "uuid": "u"}, ("image", "mime_type"), InvalidInput),
        ({"type": "image", "mime_type": "image/png"}, ("image", "uuid"), InvalidInput),
        ({"type": "image", **FILE, "size": -1}, ("image", "size"), InvalidInput),
        ({"type": "video", **FILE, "caption": "x" * 65_537}, ("video", "caption"), TooLong),
        ({"type": "location", "latitude": "1", "longitude": "181"}, ("location", "longitude"), InvalidInput),
        ({"type": "location", "latitude": "NaN", "longitude": "1"}, ("location", "latitude"), InvalidInput),
        ({"type": "location", "latitude": "1E+9999999", "longitude": "1"}, ("location", "latitude"), InvalidInput),
        ({"type": "location", "latitude": "1", "longitude": "1_0"}, ("location", "longitude"), InvalidInput),
        ({"type": "location", "latitude": "1", "longitude": "\uff11"}, ("location", "longitude"), InvalidInput),
        ({"type": "contact", "name": {}}, ("contact", "name", "formatted_name"), InvalidInput),
        (
            {"type": "contact", "name": {"formatted_name": "A"}, "phones": [{"phone": "1"}, {}]},
            ("contact", "phones", 1, "phone"),
            InvalidInput,
        ),
        (
            {"type": "contact", "name": {"formatted_name": "A"}, "emails": [{"email": "a"}] * 33},
            ("contact", "emails"),
            TooLong,
        ),
    ],
)
def test_what_does_not_fit_is_refused_where_it_is(
    content: Mapping[str, Any], path: tuple[str | int, ...], error: type[DomainError]
) -> None:
    with pytest.raises(error) as refused:
        checked({"type": "text", "content": "fine"}, content)
    assert refused.value.path == ("contents", 1, *path)


def test_a_message_has_1_to_32_contents() -> None:
    with pytest.raises(InvalidInput):
        checked()
    assert len(checked(*[{"type": "text", "content": "a"}] * 32)) == 32
    with pytest.raises(TooLong):
        checked(*[{"type": "text", "content": "a"}] * 33)


def test_texts_and_captions_are_the_plain_text() -> None:
    assert plain_text(checked({"type": "text", "content": "a"}, {"type": "image", **FILE, "caption": "b"})) == "a\nb"
    assert plain_text(checked({"type": "image", **FILE})) is None


@pytest.mark.parametrize("emoji", ["👍", "👍🏽", "❤️", "❤", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇳🇴", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "☺", "⭐", "🫠"])
def test_one_emoji_is_a_reaction(emoji: str) -> None:
    assert require_emoji(emoji) == emoji


@pytest.mark.parametrize("text", ["", "a", "1", "👍👍", "👍a", " 👍", "\u200d", "🇳", "👍" * 40, "#"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(InvalidInput):
        require_emoji(text)
