"""A Customer: one identity of a person on one system or channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypedDict

from app.core.errors import InvalidTransition
from app.core.telephone import Telephone, is_region
from app.directory.model.checks import (
    Check,
    distinct,
    email,
    json_object,
    line,
    matching,
    moment,
    one_of,
    optional,
    telephone,
    time_zone,
    whole,
)

MOST_TAGS = 100


BY_NUMBER = "SESSION"
"""The system in which at most one customer has a confirmed telephone number."""


class Channel(StrEnum):
    """Type of messenger service."""

    BRIDGE = "BRIDGE"
    WHATSAPP = "WHATSAPP"
    WIDGET = "WIDGET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """One identity. `id` and `profile_id` are surrogates, and `customer_key` is the contract's own key. `system` is the
    name of the customer's kind, in capitals.

    `shipping_rate` is in the smallest unit of the shop's currency. `billing_address`, `shipping_address` and `card` are
    objects of the upstream system, stored as given."""

    id: int
    customer_key: str
    system: str
    channel: Channel | None = None
    display_id: str | None = None
    name: str | None = None
    phone_number: str | None = None
    unconfirmed_phone_number: str | None = None
    country_code: str | None = None
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    time_zone: str | None = None
    tags: tuple[str, ...] = ()
    shipping_rate: int | None = None
    unsubscribed: bool = False
    billing_address: Mapping[str, object] | None = None
    shipping_address: Mapping[str, object] | None = None
    card: Mapping[str, object] | None = None
    company_name: str | None = None
    confirmed_at: datetime | None = None
    profile_id: int | None = None
    created_at: datetime
    updated_at: datetime
    version: int = 1

    def searchable(self) -> tuple[str | None, ...]:
        """The values that a search for a customer looks through."""
        return (
            *(self.name, self.first_name, self.last_name, self.company_name, self.email, self.customer_key),
            *(self.display_id, *self.tags),
        )

    def telephones(self) -> tuple[Telephone, ...]:
        """The telephone numbers by which it is found. On WhatsApp its display id is one, in international form."""
        country = (self.country_code or "").upper()
        region = country if is_region(country) else None
        numbers = [self.phone_number, self.unconfirmed_phone_number]
        if self.channel is Channel.WHATSAPP and self.display_id is not None and self.display_id.isdecimal():
            numbers.append(f"+{self.display_id}")
        return tuple(Telephone(number, region) for number in numbers if number)


class CustomerChanges(TypedDict, total=False):
    """The fields that an update of a customer may contain. An absent key leaves the field unchanged, None clears it."""

    name: str | None
    phone_number: str | None
    unconfirmed_phone_number: str | None
    country_code: str | None
    email: str | None
    first_name: str | None
    last_name: str | None
    time_zone: str | None
    tags: list[str] | None
    shipping_rate: int | None
    billing_address: dict[str, Any] | None
    shipping_address: dict[str, Any] | None
    card: dict[str, Any] | None
    company_name: str | None
    confirmed_at: datetime | None


class NewCustomer(CustomerChanges, total=False):
    """The fields that a new customer may have; `system` is required."""

    system: str
    channel: str | None
    display_id: str | None
    customer_key: str | None


CHANGEABLE: Mapping[str, Check] = MappingProxyType(
    {
        "name": optional(line(255)),
        "phone_number": optional(telephone),
        "unconfirmed_phone_number": optional(telephone),
        "country_code": optional(matching("[A-Za-z]{2,3}|[0-9]{1,3}", "This takes a country, such as NO.", 3)),
        "email": optional(email),
        "first_name": optional(line(255)),
        "last_name": optional(line(255)),
        "time_zone": optional(time_zone),
        "tags": distinct(line(255, blank=False), MOST_TAGS),
        "shipping_rate": optional(whole(0)),
        "billing_address": optional(json_object),
        "shipping_address": optional(json_object),
        "card": optional(json_object),
        "company_name": optional(line(255)),
        "confirmed_at": optional(moment),
    }
)

CREATABLE: Mapping[str, Check] = MappingProxyType(
    {
        **CHANGEABLE,
        "system": matching("[A-Z_]{1,64}", "This takes a system, such as SESSION.", 64),
        "channel": optional(one_of(Channel)),
        "display_id": optional(line(255, blank=False)),
        "customer_key": optional(line(255, blank=False)),
    }
)


def full_name(first_name: str | None, last_name: str | None) -> str | None:
    """The name to show for a person of whom only the parts were given."""
    return " ".join(part for part in (first_name, last_name) if part) or None


def subscription(customer: Customer, *, unsubscribed: bool) -> dict[str, object]:
    """The change that subscribing or unsubscribing makes. Raises InvalidTransition when the customer is already in that
    state."""
    if customer.unsubscribed == unsubscribed:
        raise InvalidTransition(f"The customer is already {'unsubscribed' if unsubscribed else 'subscribed'}.")
    return {"unsubscribed": unsubscribed}
