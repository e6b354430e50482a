from urllib.parse import parse_qsl, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rest import escapes
from app.rest.escapes import PIECE, decoded

PARTS = st.sampled_from(["a", "=", "&", "+", "%", "%4", "%41", "%C3%A4", "%c3", "%zz", "%%", "%00", ";", " "])


def of_the_standard_library(raw: bytes) -> list[tuple[str, str]]:
    return parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)


@given(st.lists(PARTS, max_size=60).map("".join), st.integers(3, 20))
def test_decoded_is_as_the_standard_library_has_it(text: str, piece: int) -> None:
    raw = text.encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(escapes, "PIECE", piece)
        try:
            expected = of_the_standard_library(raw)
        except ValueError:
            with pytest.raises(ValueError, match=r"."):
                decoded(raw, 20)
        else:
            assert decoded(raw, 20) == expected


def test_decoded_takes_no_more_than_a_piece_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = list[int]()

    def noted(piece: bytes) -> bytes:
        lengths.append(len(piece))
        return unquote_to_bytes(piece)

    monkeypatch.setattr(escapes, "unquote_to_bytes", noted)
    ((_, value),) = decoded(b"a=" + b"%C3%A4" * 100_000, 1)
    assert value == "\u00e4" * 100_000
    assert max(lengths) <= PIECE
    assert len(lengths) < 200


@pytest.mark.parametrize("raw", [b"\xc3\xa4=1", b"a=%ff", b"&" * 20, b"a&" * 20])
def test_decoded_refuses_what_is_no_text_and_too_many(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decoded(raw, 20)
