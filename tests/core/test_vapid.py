"""The key pair by which push services know a server."""

import pytest

from app.core.base64url import decoded, encoded
from app.core.vapid import Vapid, new_private_key, private_key_of


def test_vapid_key_is_read_from_its_text_and_gives_the_public_key() -> None:
    # The pair of RFC 8291, appendix A: the keys of its application server.
    private = private_key_of("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
    public = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
    assert Vapid(private, "mailto:ops@example.com").public_text == public


def test_new_vapid_key_is_another_one_of_32_bytes_each_time() -> None:
    first, second = new_private_key(), new_private_key()
    assert first != second
    assert [len(decoded(each)) for each in (first, second)] == [32, 32]
    assert private_key_of(first).private_numbers().private_value == int.from_bytes(decoded(first), "big")


@pytest.mark.parametrize("text", [encoded(bytes(31)), encoded(bytes(33)), "no base64!", encoded(bytes(32))])
def test_text_of_no_vapid_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whoever reads the settings says more
        private_key_of(text)
