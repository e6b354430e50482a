"""The customers of the contract's own system."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field

from app.core.actor import Actor
from app.core.errors import InvalidInput, NotFound
from app.directory.model import Customer
from app.directory.model.checks import telephone
from app.directory.service import create_customer, subscribe_customer, unsubscribe_customer, update_customer
from app.interactions.service.erasing import erase_customer
from app.kinds.session.model import SYSTEM
from app.kinds.session.rest import answers, reading
from app.kinds.session.rest.bodies import CustomerChanges, missing
from app.kinds.session.rest.sessions import CUSTOMER_ID
from app.kinds.session.service import find_customer
from app.rest import IDEMPOTENCY_KEY, About, Answer, Call, Operation, Reply, Text, sent
from app.storage.work import Work

_PHONE_NUMBER = Text("phone_number", "The number, `+` as `%2B`.", required=True, least=1)


async def find_customers(call: Call) -> Reply:
    """The customer with the telephone number, in a list of one or none. Raises BadRequest (422) without a number."""
    given = _PHONE_NUMBER.read(call.query)
    if not given:
        raise missing("phone_number")
    try:
        # In a query string, a bare plus sign stands for a space.
        number = telephone(given.replace(" ", "+", 1) if given.startswith(" ") else given, ("phone_number",))
    except InvalidInput:
        return Reply(body=[])
    found = await call.read(reading.WITH_NUMBER, phone_number=number)
    return Reply(body=await call.written(found["customers"], reading.customer))


async def get_customer(call: Call) -> Reply:
    """The customer that the path names. Raises NotFound, also for one of another system."""
    return Reply(body=await _read(call, call.path["customer_id"]))


async def add_customer(call: Call) -> Reply:
    """The new customer, with 201. Raises what `create_customer` raises."""
    given = (await call.given(CustomerChanges)).given()
    made = await call.perform(
        create_customer,
        {**given, "system": SYSTEM},  # type: ignore[typeddict-item]
        idempotency_key=call.idempotency_key,
    )
    return Reply(status=201, body=await _read(call, made.customer_key))


async def change_customer(call: Call) -> Reply:
    """The customer with the fields of the body changed. Raises NotFound, and what `update_customer` raises."""
    given = (await call.given(CustomerChanges)).given()
    await call.perform(_on_customer, call.path["customer_id"], update_customer, given)
    return Reply(body=await _read(call, call.path["customer_id"]))


async def remove_customer(call: Call) -> Reply:
    """204; the customer is erased with all interactions. Raises NotFound, Forbidden."""
    await call.perform(_on_customer, call.path["customer_id"], erase_customer)
    return Reply(status=204)


async def subscribe(call: Call) -> Reply:
    """204; messages reach the customer again. Raises NotFound, Forbidden, InvalidTransition for a customer who is
    subscribed."""
    await call.perform(_on_customer, call.path["customer_id"], subscribe_customer, strict=True)
    return Reply(status=204)


async def unsubscribe(call: Call) -> Reply:
    """204; no message reaches the customer any more. Raises NotFound, Forbidden, InvalidTransition for a customer who
    is not subscribed."""
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


async def _read(call: Call, customer_key: str) -> answers.Customer:
    found: Mapping[str, Any] | None = await call.read(reading.CUSTOMER, customer_key=customer_key)
    if found is None or found["system"] != SYSTEM:
        raise NotFound("Couldn't find Customer.")
    return reading.customer(found)


_CUSTOMER = "/v1/customers/{customer_id}"

_OF_CUSTOMER = (CUSTOMER_ID,)

CUSTOMERS = (
    Operation(
        "GET",
        "/v1/customers",
        find_customers,
        About(
            "findCustomers",
            "The customer with a telephone number.",
            parameters=(_PHONE_NUMBER,),
            answer=Answer(200, "The one customer, or none.", Annotated[list[answers.Customer], Field(max_length=1)]),
            refuses=(404, 422),
        ),
        reads="directory:read",
    ),
    Operation(
        "POST",
        "/v1/customers",
        add_customer,
        About(
            "createCustomer",
            "Make a customer known.",
            parameters=(IDEMPOTENCY_KEY,),
            body=sent(CustomerChanges),
            answer=Answer(201, "The customer.", answers.Customer),
            refuses=(404, 409, 422),
        ),
        reads="directory:read",
    ),
    Operation(
        "GET",
        _CUSTOMER,
        get_customer,
        About(
            "getCustomer",
            "A customer.",
            parameters=_OF_CUSTOMER,
            answer=Answer(200, "The customer.", answers.Customer),
            refuses=(404,),
        ),
    ),
    Operation(
        "PATCH",
        _CUSTOMER,
        change_customer,
        About(
            "updateCustomer",
            "Change a customer.",
            parameters=_OF_CUSTOMER,
            body=sent(CustomerChanges),
            answer=Answer(200, "The customer as it is now.", answers.Customer),
            refuses=(404, 409, 422),
        ),
        reads="directory:read",
    ),
    Operation(
        "DELETE",
        _CUSTOMER,
        remove_customer,
        About(
            "deleteCustomer",
            "Erase a customer with everything that was said.",
            parameters=_OF_CUSTOMER,
            answer=Answer(204, "It is gone."),
            refuses=(404,),
        ),
    ),
    Operation(
        "POST",
        f"{_CUSTOMER}/subscribe",
        subscribe,
        About(
            "subscribe",
            "Let the customer receive messages again.",
            parameters=_OF_CUSTOMER,
            answer=Answer(204, "It may."),
            refuses=(404, 409),
        ),
    ),
    Operation(
        "POST",
        f"{_CUSTOMER}/unsubscribe",
        unsubscribe,
        About(
            "unsubscribe",
            "Send the customer no more messages.",
            parameters=_OF_CUSTOMER,
            answer=Answer(204, "It receives none."),
            refuses=(404, 409),
        ),
    ),
)
