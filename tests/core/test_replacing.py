import dataclasses
from dataclasses import dataclass, field

import pytest

from app.core.replacing import replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    id: int
    name: str = "a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(Base):
    words: tuple[str, ...] = ()
    seen: bool = field(default=False, compare=False)


def test_a_copy_has_the_changes_and_the_rest() -> None:
    before = Model(id=1, words=("x",), seen=True)
    after = replace(before, name="b")
    assert after == dataclasses.replace(before, name="b") != before
    assert (after.seen, type(after), before.name) == (True, Model, "a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        after.name = "c"  # type: ignore[misc]


def test_a_field_that_there_is_not_is_refused() -> None:
    with pytest.raises(TypeError, match="Model has no field title"):
        replace(Model(id=1), title="x")


@dataclass(frozen=True)
class WithoutSlots:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Checked:
    id: int
    name: str

    def __post_init__(self) -> None:
        assert self.id


@pytest.mark.parametrize("model", [WithoutSlots(1, "a"), Checked(1, "a")])
def test_what_has_a_constructor_of_its_own_is_refused(model: object) -> None:
    with pytest.raises(TypeError, match="cannot be copied slot by slot"):
        replace(model, name="b")
