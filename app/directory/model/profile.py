"""A Profile: the real person behind one or more customers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TypedDict

from app.core.telephone import Telephone
from app.directory.model.checks import Check, birthday, email, flag, line, one_of, optional, telephone, text


class Salutation(StrEnum):
    """How a person wishes to be addressed."""

    FORMAL_MALE = "FORMAL_MALE"
    FORMAL_FEMALE = "FORMAL_FEMALE"
    INFORMAL = "INFORMAL"


class Gender(StrEnum):
    """What a person said about their gender."""

    UNDISCLOSED = "UNDISCLOSED"
    MALE = "MALE"
    FEMALE = "FEMALE"
    DIVERSE = "DIVERSE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A person; `id` is a surrogate. The business decides what `custom_1` to `custom_5` mean."""

    id: int
    salutation: Salutation | None = None
    name: str
    gender: Gender = Gender.UNDISCLOSED
    blocked: bool = False
    date_of_birth: date | None = None
    phone_number: str | None = None
    email: str | None = None
    address: str | None = None
    custom_1: str | None = None
    custom_2: str | None = None
    custom_3: str | None = None
    custom_4: str | None = None
    custom_5: str | None = None
    created_at: datetime
    updated_at: datetime
    version: int = 1

    def searchable(self) -> tuple[str | None, ...]:
        """The values that a search for a profile looks through."""
        return (self.name, self.email)

    def telephones(self) -> tuple[Telephone, ...]:
        """The telephone numbers by which it is found."""
        return () if self.phone_number is None else (Telephone(self.phone_number),)


class ProfileChanges(TypedDict, total=False):
    """The fields of a new profile, or of a change. An absent key leaves the field unchanged, None clears it. A new
    profile needs a name."""

    salutation: str | None
    name: str
    gender: str
    blocked: bool
    date_of_birth: date | None
    phone_number: str | None
    email: str | None
    address: str | None
    custom_1: str | None
    custom_2: str | None
    custom_3: str | None
    custom_4: str | None
    custom_5: str | None


CHANGEABLE: Mapping[str, Check] = MappingProxyType(
    {
        "salutation": optional(one_of(Salutation)),
        "name": line(255, blank=False),
        "gender": one_of(Gender),
        "blocked": flag,
        "date_of_birth": optional(birthday),
        "phone_number": optional(telephone),
        "email": optional(email),
        "address": optional(text(1000)),
        "custom_1": optional(text(1000)),
        "custom_2": optional(text(1000)),
        "custom_3": optional(text(1000)),
        "custom_4": optional(text(1000)),
        "custom_5": optional(text(1000)),
    }
)
