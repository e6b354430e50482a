"""Rows of the directory come back as they were stored, and are found by what they are known by."""

from dataclasses import replace
from datetime import date

import pytest

from app.core.errors import AlreadyExists
from app.directory.model import Channel, Customer, Gender, Profile, Salutation, User, UserType
from app.directory.repository import CustomerRepository, ProfileRepository, UserRepository
from app.storage.database import Database, Work
from tests.conftest import START

pytestmark = [pytest.mark.anyio, pytest.mark.both_databases]


def customer(**given: object) -> Customer:
    values: dict[str, object] = {"customer_key": "c-1", "system": "SESSION"}
    return Customer(id=0, created_at=START, updated_at=START, **(values | given))  # type: ignore[arg-type]


async def test_a_customer_comes_back_whole(database: Database) -> None:
    given = customer(
        system="CONVERSATION",
        channel=Channel.WHATSAPP,
        display_id="4915224367929",
        name="Ána Bérg",
        tags=("vip", "é"),
        shipping_rate=500,
        unsubscribed=True,
        billing_address={"street": "Kirkegata 1"},
        confirmed_at=START,
    )

    def store(work: Work) -> Customer:
        return work.use(CustomerRepository).add(given)

    stored = await database.command(store)
    assert stored == replace(given, id=1)

    def read(work: Work) -> list[Customer | None]:
        customers = work.use(CustomerRepository)
        return [
            customers.get(1, for_update=True),
            customers.get_by_key("c-1"),
            customers.get_by_display_id("CONVERSATION", Channel.WHATSAPP, "4915224367929"),
            customers.get(2),
            customers.get_by_display_id("CONVERSATION", None, "4915224367929"),
            customers.get_by_phone_number("4915224367929"),
        ]

    assert await database.command(read) == [stored] * 3 + [None] * 3


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"customer_key": "k"}, {"customer_key": "k", "system": "CONVERSATION"}),
        ({"phone_number": "+47123"}, {"phone_number": "+47123"}),
        (
            {"system": "CHAT_SESSION", "display_id": "a"},
            {"system": "CHAT_SESSION", "display_id": "a"},
        ),
        (
            {"system": "CONVERSATION", "channel": Channel.WIDGET, "display_id": "a"},
            {"system": "CONVERSATION", "channel": Channel.WIDGET, "display_id": "a"},
        ),
    ],
)
async def test_what_must_be_unique_is(database: Database, first: dict[str, object], second: dict[str, object]) -> None:
    def add(work: Work, given: Customer) -> None:
        work.use(CustomerRepository).add(given)

    await database.command(add, customer(**first))
    with pytest.raises(AlreadyExists):
        await database.command(add, customer(**({"customer_key": "c-2"} | second)))


async def test_what_differs_in_system_or_channel_may_repeat(database: Database) -> None:
    def add(work: Work) -> int:
        customers = work.use(CustomerRepository)
        conversation = "CONVERSATION"
        for given in (
            customer(customer_key="1", phone_number="+47123"),
            customer(customer_key="2", phone_number="+47123", system=conversation),
            customer(customer_key="3", display_id="a", system=conversation, channel=Channel.WIDGET),
            customer(customer_key="4", display_id="a", system=conversation, channel=Channel.WHATSAPP),
            customer(customer_key="5", display_id="a", system=conversation),
        ):
            last = customers.add(given)
        return last.id

    assert await database.command(add) == 5


async def test_a_profile_comes_back_whole_and_is_saved_by_what_differs(database: Database) -> None:
    given = Profile(
        id=0,
        salutation=Salutation.INFORMAL,
        name="John Doe",
        gender=Gender.DIVERSE,
        blocked=True,
        date_of_birth=date(1970, 1, 1),
        custom_5="x",
        created_at=START,
        updated_at=START,
    )

    def store(work: Work) -> Profile | None:
        profiles = work.use(ProfileRepository)
        stored = profiles.add(given)
        profiles.save(stored, replace(stored, date_of_birth=None, salutation=None, version=2))
        return profiles.get(stored.id)

    assert await database.command(store) == replace(given, id=1, date_of_birth=None, salutation=None, version=2)


async def test_a_user_is_found_by_its_login_in_any_case(database: Database) -> None:
    given = User(
        id=0,
        name="Tony",
        login="Tóny",
        roles=("admin",),
        permissions=("session:read",),
        type=UserType.EXTERNAL_ASSOCIATE,
        person_id=2**40,
        created_at=START,
        updated_at=START,
    )

    def store(work: Work) -> list[User | None]:
        users = work.use(UserRepository)
        stored = users.add(given)
        assert users.lock_admins() == [stored.id]
        return [users.get_by_login("TONY"), users.get_by_login("ton")]

    assert await database.command(store) == [replace(given, id=1), None]
