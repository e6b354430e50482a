import pytest

from app.core.errors import NoSecretsKey
from app.core.sealing import Sealer, Unreadable, new_key

OLD, NEW = new_key(), new_key()


def test_sealed_secret_is_read_again_and_shows_nothing() -> None:
    sealer = Sealer([OLD])
    first, second = sealer.seal("hunter2 ✓"), sealer.seal("hunter2 ✓")
    assert first != second
    assert "hunter2" not in first
    assert first.isascii()
    assert sealer.unseal(first) == sealer.unseal(second) == "hunter2 ✓"


def test_sealing_without_a_key_is_refused_with_the_way_to_one() -> None:
    sealer = Sealer([])
    with pytest.raises(NoSecretsKey, match=r"python -m app secrets-key.*SWITCHBOARD_SECRETS_KEY"):
        sealer.seal("hunter2")
    with pytest.raises(Unreadable, match="no key"):
        sealer.unseal(Sealer([OLD]).seal("hunter2"))


def test_sealing_key_is_rotated_by_putting_the_new_one_first() -> None:
    sealed = Sealer([OLD]).seal("hunter2")
    both = Sealer([NEW, OLD])
    assert both.unseal(sealed) == "hunter2"
    with pytest.raises(Unreadable, match="another key"):
        Sealer([NEW]).unseal(sealed)
    assert Sealer([NEW]).unseal(both.seal("next")) == "next"


@pytest.mark.parametrize("damaged", ["", "x", "no token at all", "gAAAAA=="])
def test_sealed_secret_that_is_damaged_is_unreadable(damaged: str) -> None:
    with pytest.raises(Unreadable, match="damaged"):
        Sealer([OLD]).unseal(damaged)


def test_sealed_secret_that_was_changed_is_unreadable() -> None:
    sealed = Sealer([OLD]).seal("hunter2")
    changed = sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]
    with pytest.raises(Unreadable):
        Sealer([OLD]).unseal(changed)
