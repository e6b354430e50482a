"""Customers, and the profiles that join them into one person."""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from app.core.errors import AlreadyExists, DomainError
from app.directory.model import BY_NUMBER, Channel, Customer, Gender, Profile, Salutation
from app.directory.repository.rows import Rows
from app.directory.tables import customer, customer_word, profile, profile_word


class CustomerRepository(Rows[Customer]):
    """Named queries over customers."""

    model = Customer
    rows = customer
    word_table = customer_word
    readers = {"channel": Channel, "tags": tuple}  # noqa: RUF012 - declared by the base

    def taken(self, model: Customer) -> AlreadyExists:
        return AlreadyExists("Another customer has this key, this display id or this telephone number.")

    def get_by_key(self, customer_key: str, *, for_update: bool = False) -> Customer | None:
        """The customer with the contract's key."""
        return self._find_by(for_update=for_update, customer_key=customer_key)

    def get_by_display_id(
        self, system: str, channel: Channel | None, display_id: str, *, for_update: bool = False
    ) -> Customer | None:
        """The customer with this id in a system (a WhatsApp number, a widget's visitor) on this channel."""
        if channel is not None:
            of = {"system": system, "channel": channel.value, "display_id": display_id}
            return self._find_by(for_update=for_update, **of)
        return self._find(
            customer.c.system == system,
            customer.c.channel.is_(None),
            customer.c.display_id == display_id,
            for_update=for_update,
        )

    def get_by_phone_number(self, phone_number: str) -> Customer | None:
        """The Dirty Lemon customer with this confirmed number; there is at most one."""
        return self._find(
            customer.c.system == sa.literal_column(f"'{BY_NUMBER}'"),
            customer.c.phone_number == phone_number,
        )

    def list_of_profile(self, profile_id: int, *, for_update: bool = False) -> Sequence[Customer]:
        """The customers that are linked to the profile, by surrogate."""
        statement = sa.select(*self._columns()).where(customer.c.profile_id == profile_id).order_by(customer.c.id)
        rows = self._all(statement.with_for_update() if for_update else statement)
        return [self._model(row) for row in rows]


class ProfileRepository(Rows[Profile]):
    """Named queries over profiles."""

    model = Profile
    rows = profile
    word_table = profile_word
    readers = {  # noqa: RUF012 - declared by the base
        "salutation": Salutation,
        "gender": Gender,
        "date_of_birth": date.fromisoformat,
    }
    writers = {"date_of_birth": date.isoformat}  # noqa: RUF012 - declared by the base

    def taken(self, model: Profile) -> DomainError:
        return AlreadyExists("There already is such a profile.")
