"""What happens to customers and profiles, and what is told of it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import anyio
import pytest

from app.core.actor import Actor
from app.core.errors import (
    AlreadyExists,
    DomainError,
    Forbidden,
    InvalidInput,
    InvalidTransition,
    NotFound,
    TooLong,
    VersionConflict,
)
from app.directory import service
from app.directory.model import Channel, Customer, Gender, Profile, Salutation
from app.directory.repository import CustomerRepository, ProfileRepository
from app.storage.database import Database, Work
from tests.conftest import START, ManualClock
from tests.directory.conftest import told

pytestmark = pytest.mark.anyio

WRITER = Actor(user_id=5, name="Writer", permissions=frozenset({"directory:write"}))
READER = Actor(user_id=6, name="Reader", permissions=frozenset({"directory:read"}))

FULL: dict[str, Any] = {
    "system": "CONVERSATION",
    "channel": "WHATSAPP",
    "display_id": "4915224367929",
    "customer_key": "9e3b7b1a-92b6-4c9f-8f6a-0d7f7c3f9c11",
    "name": "Ana",
    "phone_number": "+49 (152) 243-67929",
    "unconfirmed_phone_number": "0152243",
    "country_code": "DE",
    "email": "ana@example.com",
    "first_name": "Ana",
    "last_name": "Berg",
    "time_zone": "Europe/Oslo",
    "tags": ["vip", "vip", "new"],
    "shipping_rate": 0,
    "billing_address": {"street": "A 1", "zip": None},
    "shipping_address": {},
    "card": {"brand": "visa", "last4": "4242"},
    "company_name": "Berg AS",
    "confirmed_at": START,
}


async def add(database: Database, **given: Any) -> Customer:
    values = {"system": "SESSION", **given}
    return await database.command(service.create_customer, WRITER, values)  # type: ignore[arg-type]


async def customer(database: Database, number: int = 1) -> Customer | None:
    def read(work: Work) -> Customer | None:
        return work.use(CustomerRepository).get(number)

    return await database.command(read)


async def profile(database: Database, number: int = 1) -> Profile | None:
    def read(work: Work) -> Profile | None:
        return work.use(ProfileRepository).get(number)

    return await database.command(read)


@pytest.mark.parametrize("system", ["FAX", "session", "", "S" * 65])
async def test_a_customer_has_the_system_of_a_kind(database: Database, system: str) -> None:
    with pytest.raises((InvalidInput, TooLong)) as refused:
        await database.command(service.create_customer, WRITER, {"system": system})
    assert refused.value.path == ("system",)


async def test_a_customer_is_made_with_all_its_fields(database: Database) -> None:
    made = await add(database, **FULL)
    assert made == Customer(
        id=1,
        **{
            **FULL,
            "system": "CONVERSATION",
            "channel": Channel.WHATSAPP,
            "phone_number": "+4915224367929",
            "tags": ("vip", "new"),
        },
        created_at=START,
        updated_at=START,
    )
    assert await customer(database) == made
    (event,) = await told(database)
    assert (event.topic, event.customer_id, event.actor_id, event.version) == ("customer.created", 1, 5, 1)
    assert event.data == {}


async def test_a_key_and_a_name_are_made(database: Database) -> None:
    made = await add(database, first_name="Ana", last_name="Berg")
    assert (made.customer_key, made.name) == ("00000000-0000-7000-8000-000000000001", "Ana Berg")
    renamed = await database.command(service.update_customer, WRITER, "cus_1", {"last_name": "Dahl"})
    assert renamed.name == "Ana Dahl"
    await database.command(service.update_customer, WRITER, "cus_1", {"name": "Boss"})
    renamed = await database.command(service.update_customer, WRITER, "cus_1", {"first_name": None})
    assert (renamed.name, renamed.first_name, renamed.last_name) == ("Boss", None, "Dahl")


async def test_an_update_is_tri_state_and_tells_no_contact_details(database: Database, clock: ManualClock) -> None:
    made = await add(database, **FULL)
    clock.advance(1)
    changes: Any = {"email": None, "tags": None, "phone_number": "+47123", "confirmed_at": None, "company_name": "B"}
    changed = await database.command(service.update_customer, WRITER, "cus_1", changes, if_version=1)
    assert changed == replace(
        made,
        email=None,
        tags=(),
        phone_number="+47123",
        confirmed_at=None,
        company_name="B",
        updated_at=clock.now,
        version=2,
    )
    assert await customer(database) == changed
    event = (await told(database))[-1]
    assert (event.topic, event.version, event.customer_id) == ("customer.updated", 2, 1)
    assert event.data == {
        "changes": [
            {"field": "phoneNumber", "before": None, "after": None},
            {"field": "email", "before": None, "after": None},
            {"field": "tags", "before": None, "after": None},
            {"field": "companyName", "before": None, "after": None},
            {"field": "confirmedAt", "before": "2026-01-05T09:00:00.000000Z", "after": None},
        ]
    }
    with pytest.raises(VersionConflict) as refused:
        await database.command(service.update_customer, WRITER, "cus_1", {"name": "x"}, if_version=1)
    assert refused.value.current_version == 2
    assert await database.command(service.update_customer, WRITER, "cus_1", {"name": "Ana"}) == changed
    assert len(await told(database)) == 2


def nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(depth - 1):
        found = {"a": found}
    return found


@pytest.mark.parametrize(
    ("changes", "error", "path"),
    [
        ({"name": "x" * 256}, TooLong, ("name",)),
        ({"first_name": "a\tb"}, InvalidInput, ("first_name",)),
        ({"last_name": 5}, InvalidInput, ("last_name",)),
        ({"company_name": "x" * 256}, TooLong, ("company_name",)),
        ({"phone_number": "call me"}, InvalidInput, ("phone_number",)),
        ({"phone_number": "12"}, InvalidInput, ("phone_number",)),
        ({"phone_number": "1" * 32}, InvalidInput, ("phone_number",)),
        ({"phone_number": "4+7123"}, InvalidInput, ("phone_number",)),
        ({"phone_number": "٤٧"}, InvalidInput, ("phone_number",)),
        ({"unconfirmed_phone_number": "+"}, InvalidInput, ("unconfirmed_phone_number",)),
        ({"country_code": "Norway"}, TooLong, ("country_code",)),
        ({"country_code": "N1"}, InvalidInput, ("country_code",)),
        ({"email": "a@b@c"}, InvalidInput, ("email",)),
        ({"email": "a b@c.d"}, InvalidInput, ("email",)),
        ({"email": "a@b..c"}, InvalidInput, ("email",)),
        ({"time_zone": "Europe/Atlantis"}, InvalidInput, ("time_zone",)),
        ({"time_zone": "../etc/passwd"}, InvalidInput, ("time_zone",)),
        ({"time_zone": "Europe"}, InvalidInput, ("time_zone",)),
        ({"time_zone": ""}, InvalidInput, ("time_zone",)),
        ({"tags": ["x"] * 101}, TooLong, ("tags",)),
        ({"tags": ["ok", ""]}, InvalidInput, ("tags", 1)),
        ({"tags": {"ok": True}}, InvalidInput, ("tags",)),
        ({"tags": ["ok", "x" * 256]}, TooLong, ("tags", 1)),
        ({"tags": ["ok", "\0"]}, InvalidInput, ("tags", 1)),
        ({"shipping_rate": -1}, InvalidInput, ("shipping_rate",)),
        ({"shipping_rate": 2**31}, InvalidInput, ("shipping_rate",)),
        ({"shipping_rate": True}, InvalidInput, ("shipping_rate",)),
        ({"card": []}, InvalidInput, ("card",)),
        ({"card": "visa"}, InvalidInput, ("card",)),
        ({"card": {"a": "x" * 16_384}}, TooLong, ("card",)),
        ({"card": {"a": ["\0"]}}, InvalidInput, ("card",)),
        ({"card": {"\ud800": 1}}, InvalidInput, ("card",)),
        ({"card": {"a": 2**70}}, InvalidInput, ("card",)),
        ({"billing_address": nested(17)}, InvalidInput, ("billing_address",)),
        ({"confirmed_at": datetime(2026, 1, 1)}, InvalidInput, ("confirmed_at",)),  # noqa: DTZ001 - refused for that
    ],
)
async def test_what_a_customer_may_not_be(
    database: Database, changes: Any, error: type[DomainError], path: tuple[str | int, ...]
) -> None:
    made = await add(database)
    with pytest.raises(error) as refused:
        await database.command(service.update_customer, WRITER, "cus_1", changes)
    assert refused.value.path == path
    with pytest.raises(error) as refused:
        await add(database, **changes)
    assert refused.value.path == path
    assert await customer(database) == made
    assert await customer(database, 2) is None
    assert len(await told(database)) == 1


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"system": "FAX"}, ("system",)),
        ({"channel": "SMS"}, ("channel",)),
        ({"display_id": ""}, ("display_id",)),
        ({"customer_key": " "}, ("customer_key",)),
    ],
)
async def test_what_a_new_customer_may_not_be(database: Database, given: Any, path: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as refused:
        await add(database, **given)
    assert refused.value.path == path
    with pytest.raises(InvalidInput):
        await database.command(service.create_customer, WRITER, {"name": "Ana"})


async def test_the_widest_values_fit(database: Database) -> None:
    wide = {
        "name": "x" * 255,
        "tags": [f"{number:0255}" for number in range(100)],
        "billing_address": nested(16),
        "card": {"a": "x" * (16_384 - 8)},
        "phone_number": "+" + "1" * 31,
        "country_code": "47",
        "shipping_rate": 2**31 - 1,
    }
    made = await add(database, **wide)
    assert await customer(database) == made
    assert len(made.tags) == 100


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"customer_key": "k"}, ("customer_key",)),
        ({"phone_number": "+47 123"}, ("phone_number",)),
        ({"display_id": "d"}, ("display_id",)),
    ],
)
async def test_who_is_known_is_not_made_again(
    database: Database, given: Mapping[str, str], path: tuple[str, ...]
) -> None:
    first = {"customer_key": "k", "phone_number": "+47123", "display_id": "d"}
    await add(database, **first)
    with pytest.raises(AlreadyExists) as refused:
        await add(database, **given)
    assert refused.value.path == path
    assert len(await told(database)) == 1


async def test_a_telephone_number_is_taken_over_by_nobody(database: Database) -> None:
    await add(database, phone_number="+47123")
    await add(database)
    await add(database, system="CONVERSATION", phone_number="+47999")
    with pytest.raises(AlreadyExists) as refused:
        await database.command(service.update_customer, WRITER, "cus_2", {"phone_number": "+47123"})
    assert refused.value.path == ("phone_number",)
    await database.command(service.update_customer, WRITER, "cus_1", {"phone_number": "+47 123"})
    moved = await database.command(service.update_customer, WRITER, "cus_3", {"phone_number": "+47123"})
    assert moved.phone_number == "+47123"


async def test_of_many_at_once_one_is_made(database: Database) -> None:
    outcomes: list[str] = []

    async def create(number: int) -> None:
        try:
            await add(database, phone_number="+47123", customer_key=f"key-{number}")
            outcomes.append("made")
        except AlreadyExists:
            outcomes.append("refused")

    async with anyio.create_task_group() as group:
        for number in range(4):
            group.start_soon(create, number)
    assert sorted(outcomes) == ["made", "refused", "refused", "refused"]
    assert len(await told(database)) == 1


async def test_subscriptions(database: Database) -> None:
    await add(database)
    off = await database.command(service.unsubscribe_customer, WRITER, "cus_1")
    assert (off.unsubscribed, off.version) == (True, 2)
    assert await database.command(service.unsubscribe_customer, WRITER, "cus_1") == off
    with pytest.raises(InvalidTransition):
        await database.command(service.unsubscribe_customer, WRITER, "cus_1", strict=True)
    on = await database.command(service.subscribe_customer, WRITER, "cus_1", strict=True)
    assert (on.unsubscribed, on.version) == (False, 3)
    with pytest.raises(InvalidTransition):
        await database.command(service.subscribe_customer, WRITER, "cus_1", strict=True)
    events = await told(database)
    assert [(event.topic, event.data) for event in events[1:]] == [
        (
            "customer.unsubscribed",
            {"changes": [{"field": "unsubscribed", "before": "false", "after": "true"}]},
        ),
        (
            "customer.subscribed",
            {"changes": [{"field": "unsubscribed", "before": "true", "after": "false"}]},
        ),
    ]


async def test_a_profile_and_its_customers(database: Database, clock: ManualClock) -> None:
    given: Any = {
        "salutation": "INFORMAL",
        "name": "John Doe",
        "gender": "DIVERSE",
        "date_of_birth": date(1970, 1, 1),
        "phone_number": "+49 152",
        "email": "john@example.com",
        "address": "Road 1\nTown",
        **{f"custom_{number}": str(number) for number in range(1, 6)},
    }
    made = await database.command(service.create_profile, WRITER, given)
    assert made == Profile(
        id=1,
        **{
            **given,
            "salutation": Salutation.INFORMAL,
            "gender": Gender.DIVERSE,
            "phone_number": "+49152",
        },
        created_at=START,
        updated_at=START,
    )
    linked = await database.command(service.create_customer, WRITER, {"system": "SESSION"}, profile="prf_1")
    assert linked.profile_id == 1
    await add(database)
    second = await database.command(service.link_customer, WRITER, "cus_2", "prf_1", if_version=1)
    assert (second.profile_id, second.version) == (1, 2)
    clock.advance(1)
    assert await database.command(service.delete_profile, WRITER, "prf_1") == made
    assert await profile(database) is None
    for number, version in ((1, 2), (2, 3)):
        left = await customer(database, number)
        assert left is not None
        assert (left.profile_id, left.version, left.updated_at) == (None, version, clock.now)
    topics = sorted(event.topic for event in await told(database))
    assert topics == [
        "customer.created",
        "customer.created",
        "customer.linked",
        "customer.unlinked",
        "customer.unlinked",
        "profile.created",
        "profile.deleted",
    ]
    unlinked = [event.data for event in await told(database) if event.topic == "customer.unlinked"]
    assert unlinked == [{"changes": [{"field": "profile", "before": "prf_1", "after": None}]}] * 2


async def test_linking_to_nobody(database: Database) -> None:
    await add(database)
    with pytest.raises(NotFound) as refused:
        await database.command(service.link_customer, WRITER, "cus_1", "prf_9")
    assert refused.value.path == ("profile_id",)
    before = await customer(database)
    assert await database.command(service.unlink_customer, WRITER, "cus_1") == before
    assert len(await told(database)) == 1


async def test_blocking(database: Database) -> None:
    await database.command(service.create_profile, WRITER, {"name": "John"})
    blocked = await database.command(service.block_profile, WRITER, "prf_1", if_version=1)
    assert (blocked.blocked, blocked.version) == (True, 2)
    assert await database.command(service.block_profile, WRITER, "prf_1") == blocked
    assert not (await database.command(service.unblock_profile, WRITER, "prf_1")).blocked
    assert [(event.topic, event.data.get("profile_id")) for event in await told(database)] == [
        ("profile.created", 1),
        ("profile.blocked", 1),
        ("profile.unblocked", 1),
    ]


@pytest.mark.parametrize(
    ("changes", "error", "path"),
    [
        ({"name": ""}, InvalidInput, ("name",)),
        ({"name": None}, InvalidInput, ("name",)),
        ({"gender": None}, InvalidInput, ("gender",)),
        ({"gender": "OTHER"}, InvalidInput, ("gender",)),
        ({"salutation": "DOCTOR"}, InvalidInput, ("salutation",)),
        ({"blocked": None}, InvalidInput, ("blocked",)),
        ({"date_of_birth": "1970-01-01"}, InvalidInput, ("date_of_birth",)),
        ({"date_of_birth": datetime(1970, 1, 1, tzinfo=UTC)}, InvalidInput, ("date_of_birth",)),
        ({"address": "x" * 1001}, TooLong, ("address",)),
        ({"custom_5": "x" * 1001}, TooLong, ("custom_5",)),
        ({"email": "@"}, InvalidInput, ("email",)),
        ({"phone_number": "x"}, InvalidInput, ("phone_number",)),
    ],
)
async def test_what_a_profile_may_not_be(
    database: Database, changes: Any, error: type[DomainError], path: tuple[str | int, ...]
) -> None:
    made = await database.command(service.create_profile, WRITER, {"name": "John"})
    with pytest.raises(error) as refused:
        await database.command(service.update_profile, WRITER, "prf_1", changes)
    assert refused.value.path == path
    assert await profile(database) == made
    assert len(await told(database)) == 1


async def test_deleting_a_customer(database: Database) -> None:
    made = await add(database, **FULL)
    with pytest.raises(VersionConflict):
        await database.command(service.delete_customer, WRITER, "cus_1", if_version=7)
    assert await database.command(service.delete_customer, WRITER, "cus_1", if_version=1) == made
    assert await customer(database) is None
    event = (await told(database))[-1]
    assert (event.topic, event.customer_id, event.data) == ("customer.deleted", 1, {})
    with pytest.raises(NotFound):
        await database.command(service.delete_customer, WRITER, "cus_1")


async def test_creations_happen_once_under_one_key(database: Database) -> None:
    given: Any = {"system": "SESSION", "confirmed_at": START}

    async def create() -> Customer:
        return await database.command(service.create_customer, WRITER, given, idempotency_key="k")

    first = await create()
    assert await create() == first
    birthday: Any = {"name": "John", "date_of_birth": date(1970, 1, 1)}
    born = await database.command(service.create_profile, WRITER, birthday, idempotency_key="p")
    assert await database.command(service.create_profile, WRITER, birthday, idempotency_key="p") == born
    assert [event.topic for event in await told(database)].count("customer.created") == 1
    await database.command(service.delete_customer, WRITER, "cus_1")
    with pytest.raises(NotFound):
        await create()


async def meet(database: Database, **given: Any) -> Customer:
    return await database.command(service.meet_customer, READER, given)  # type: ignore[arg-type]


async def test_who_is_met_again_is_known(database: Database) -> None:
    first = await meet(database, system="CONVERSATION", channel="WHATSAPP", display_id="4715", name="Ana")
    assert await meet(database, system="CONVERSATION", channel="WHATSAPP", display_id="4715", name="Other") == first
    other = await meet(database, system="CONVERSATION", channel="WIDGET", display_id="4715")
    assert other.id == 2
    caller = await meet(database, system="SESSION", phone_number="+47 15")
    assert await meet(database, system="SESSION", phone_number="+4715") == caller
    keyed = await meet(database, system="AGENT_SESSION", customer_key="k")
    assert await meet(database, system="AGENT_SESSION", customer_key="k") == keyed
    with pytest.raises(InvalidInput):
        await meet(database, system="AGENT_SESSION", name="Ana")
    assert [event.topic for event in await told(database)] == ["customer.created"] * 4


async def test_who_is_met_twice_at_once_is_one(database: Database) -> None:
    met: list[int] = []

    async def once_more() -> None:
        met.append((await meet(database, system="CONVERSATION", channel="WHATSAPP", display_id="4715")).id)

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(once_more)
    assert len(set(met)) == 1
    assert [event.topic for event in await told(database)] == ["customer.created"]


async def test_without_permission_nothing_happens(database: Database) -> None:
    await add(database)
    await database.command(service.create_profile, WRITER, {"name": "John"})
    calls: list[tuple[Any, ...]] = [
        (service.create_customer, {"system": "SESSION"}),
        (service.update_customer, "cus_1", {"name": "x"}),
        (service.delete_customer, "cus_1"),
        (service.subscribe_customer, "cus_1"),
        (service.unsubscribe_customer, "cus_1"),
        (service.link_customer, "cus_1", "prf_1"),
        (service.unlink_customer, "cus_1"),
        (service.create_profile, {"name": "x"}),
        (service.update_profile, "prf_1", {"name": "x"}),
        (service.delete_profile, "prf_1"),
        (service.block_profile, "prf_1"),
        (service.unblock_profile, "prf_1"),
    ]
    before = (await customer(database), await profile(database), await told(database))
    for command, *arguments in calls:
        with pytest.raises(Forbidden):
            await database.command(command, READER, *arguments)
    assert (await customer(database), await profile(database), await told(database)) == before
