"""The customers of the contract's own system."""

from collections.abc import Callable, Mapping
from typing import Any

from app.core.actor import Actor
from app.core.errors import InvalidInput, NotFound
from app.directory.model import Customer, CustomerSystem
from app.directory.model.checks import telephone
from app.directory.service import create_customer, subscribe_customer, unsubscribe_customer, update_customer
from app.interactions.service.erasing import erase_customer
from app.kinds.session.rest import reading
from app.kinds.session.rest.bodies import missing
from app.kinds.session.service import find_customer
from app.rest import Call, Operation, Reply
from app.rest.call import picked
from app.storage.work import Work

_WRITABLE = (
    *("phone_number", "unconfirmed_phone_number", "country_code", "email", "first_name", "last_name", "time_zone"),
    *("tags", "shipping_rate", "billing_address", "shipping_address", "card"),
)


async def find_customers(call: Call) -> Reply:
    given = call.query.get("phone_number")
    if not given:
        raise missing("phone_number")
    try:
        # In a query string a bare plus sign stands for a space.
        number = telephone(given.replace(" ", "+", 1) if given.startswith(" ") else given, ("phone_number",))
    except InvalidInput:
        return Reply(body=[])
    found = await call.read(reading.WITH_NUMBER, phone_number=number)
    return Reply(body=await call.written(found["customers"], reading.customer))


async def get_customer(call: Call) -> Reply:
    return Reply(body=await _read(call, call.path["customer_id"]))


async def add_customer(call: Call) -> Reply:
    given = picked(await call.json_object(), _WRITABLE)
    made = await call.perform(
        create_customer,
        {**given, "system": CustomerSystem.SESSION.value},  # type: ignore[typeddict-item]
        idempotency_key=call.idempotency_key,
    )
    return Reply(status=201, body=await _read(call, made.customer_key))


async def change_customer(call: Call) -> Reply:
    given = picked(await call.json_object(), _WRITABLE)
    await call.perform(_on_customer, call.path["customer_id"], update_customer, given)
    return Reply(body=await _read(call, call.path["customer_id"]))


async def remove_customer(call: Call) -> Reply:
    await call.perform(_on_customer, call.path["customer_id"], erase_customer)
    return Reply(status=204)


async def subscribe(call: Call) -> Reply:
    await call.perform(_on_customer, call.path["customer_id"], subscribe_customer, strict=True)
    return Reply(status=204)


async def unsubscribe(call: Call) -> Reply:
    await call.perform(_on_customer, call.path["customer_id"], unsubscribe_customer, strict=True)
    return Reply(status=204)


def _on_customer(
    work: Work, actor: Actor, customer_key: str, service: Callable[..., Customer], *args: Any, **kwargs: Any
) -> Customer:
    """Do this to the customer whom the contract knows by this key."""
    actor.require("directory:write")
    customer = find_customer(work, customer_key)
    if customer is None:
        raise NotFound("Couldn't find Customer.")
    return service(work, actor, customer, *args, **kwargs)


async def _read(call: Call, customer_key: str) -> dict[str, object]:
    found: Mapping[str, Any] | None = await call.read(reading.CUSTOMER, customer_key=customer_key)
    if found is None or found["system"] != CustomerSystem.SESSION:
        raise NotFound("Couldn't find Customer.")
    return reading.customer(found)


_CUSTOMER = "/v1/customers/{customer_id}"

CUSTOMERS = (
    Operation("GET", "/v1/customers", find_customers, reads="directory:read"),
    Operation("POST", "/v1/customers", add_customer, reads="directory:read"),
    Operation("GET", _CUSTOMER, get_customer),
    Operation("PATCH", _CUSTOMER, change_customer, reads="directory:read"),
    Operation("DELETE", _CUSTOMER, remove_customer),
    Operation("POST", f"{_CUSTOMER}/subscribe", subscribe),
    Operation("POST", f"{_CUSTOMER}/unsubscribe", unsubscribe),
)
