"""Commands on customers."""

from dataclasses import replace

from app.core.actor import Actor
from app.core.errors import AlreadyExists, InvalidInput, require_version
from app.directory.events import (
    CustomerCreated,
    CustomerDeleted,
    CustomerLinked,
    CustomerSubscribed,
    CustomerUnlinked,
    CustomerUnsubscribed,
    CustomerUpdated,
)
from app.directory.model import BY_NUMBER, Customer, CustomerChanges, NewCustomer
from app.directory.model.checks import checked
from app.directory.model.customer import CHANGEABLE, CREATABLE, full_name, subscription
from app.directory.service.editing import (
    Ref,
    created,
    customers_of,
    edit,
    found,
    number,
    profiles_of,
    tell,
)
from app.storage.work import Work

WRITE = "directory:write"


def create_customer(
    work: Work,
    actor: Actor,
    given: NewCustomer,
    *,
    profile: Ref | None = None,
    idempotency_key: str | None = None,
) -> Customer:
    """Create a customer of `given["system"]`. Without a key, one is made; without a name, it is made of first and last
    name.

    Limits: names, company, display id, key and each of at most 100 tags 255 characters, e-mail address 254, telephone
    numbers 31 digits, addresses and card 16,384 bytes of JSON each. Raises Forbidden, InvalidInput, TooLong, NotFound
    for the profile, AlreadyExists for a key, a display id within system and channel, or (among SESSION customers) a
    telephone number that is taken, KeyReused."""
    actor.require(WRITE)

    def make() -> Customer:
        customer = _new_customer(work, given)
        if profile is not None:
            customer = replace(customer, profile_id=_profile_number(work, profile))
        _require_free(work, customer)
        stored = customers_of(work).add(customer)
        tell(work, actor, CustomerCreated(), stored)
        return stored

    request = {"create": "customer", "profile": profile, **given}
    return created(work, actor, idempotency_key, request, customers_of(work).get, make)


def meet_customer(work: Work, actor: Actor, given: NewCustomer) -> Customer:
    """The customer of `given["system"]` with this key, display id or (in SESSION) telephone number; created when new.

    It is for commands that mention their customer. They check their own permission, so it asks for none. A known
    customer is not changed. When two commands meet the same new customer at once, the second finds the first's. Raises
    InvalidInput and TooLong as `create_customer` does, InvalidInput also without any of the three."""
    new = _new_customer(work, given)
    if given.get("customer_key") is None and new.display_id is None and new.phone_number is None:
        raise InvalidInput("A customer needs a key, a display id or a telephone number.", path=("customer_key",))
    if (known := _known(work, new)) is not None:
        return known
    stored = customers_of(work).add_if_new(new)
    if stored is None:
        return found(_known(work, new), new.customer_key, "customer_key")
    tell(work, actor, CustomerCreated(), stored)
    return stored


def update_customer(
    work: Work, actor: Actor, ref: Ref, changes: CustomerChanges, *, if_version: int | None = None
) -> Customer:
    """Change a customer; limits as for `create_customer`. A name that was made of its parts changes with them.

    Raises Forbidden, NotFound, InvalidInput, TooLong, VersionConflict, AlreadyExists."""
    actor.require(WRITE)
    before = _customer(work, ref, if_version)
    values = checked(changes, CHANGEABLE)
    if "name" not in values and before.name == full_name(before.first_name, before.last_name):
        values["name"] = full_name(
            values.get("first_name", before.first_name), values.get("last_name", before.last_name)
        )
    number = values.get("phone_number")
    if number is not None and number != before.phone_number and before.system == BY_NUMBER:
        _require_free_number(work, number)
    return edit(work, actor, customers_of(work), before, values, CustomerUpdated())


def delete_customer(work: Work, actor: Actor, ref: Ref, *, if_version: int | None = None) -> Customer:
    """Erase a customer. Returns what it was. The rows of its interactions go too, but without events: callers want the
    upper slice's `erase_customer`, which erases the interactions one by one before.

    Raises Forbidden, NotFound, VersionConflict."""
    actor.require(WRITE)
    before = _customer(work, ref, if_version)
    customers_of(work).remove(before.id)
    tell(work, actor, CustomerDeleted(), before)
    return before


def subscribe_customer(
    work: Work, actor: Actor, ref: Ref, *, strict: bool = False, if_version: int | None = None
) -> Customer:
    """Let the customer receive messages again. With `strict`, raises InvalidTransition when it already may.

    Raises Forbidden, NotFound, VersionConflict."""
    return _subscription(work, actor, ref, unsubscribed=False, strict=strict, if_version=if_version)


def unsubscribe_customer(
    work: Work, actor: Actor, ref: Ref, *, strict: bool = False, if_version: int | None = None
) -> Customer:
    """Send the customer no more messages. With `strict`, raises InvalidTransition when it is already unsubscribed.

    Raises Forbidden, NotFound, VersionConflict."""
    return _subscription(work, actor, ref, unsubscribed=True, strict=strict, if_version=if_version)


def link_customer(work: Work, actor: Actor, ref: Ref, profile: Ref, *, if_version: int | None = None) -> Customer:
    """Link the customer to the profile, in place of any other. Raises Forbidden, NotFound, VersionConflict."""
    actor.require(WRITE)
    profile_id = _profile_number(work, profile)
    before = _customer(work, ref, if_version)
    return edit(work, actor, customers_of(work), before, {"profile_id": profile_id}, CustomerLinked())


def unlink_customer(work: Work, actor: Actor, ref: Ref, *, if_version: int | None = None) -> Customer:
    """Remove the customer's link to a profile. Raises Forbidden, NotFound, VersionConflict."""
    actor.require(WRITE)
    before = _customer(work, ref, if_version)
    return edit(work, actor, customers_of(work), before, {"profile_id": None}, CustomerUnlinked())


def _subscription(
    work: Work, actor: Actor, ref: Ref, *, unsubscribed: bool, strict: bool, if_version: int | None
) -> Customer:
    actor.require(WRITE)
    before = _customer(work, ref, if_version)
    if not strict and before.unsubscribed == unsubscribed:
        return before
    happened = CustomerUnsubscribed() if unsubscribed else CustomerSubscribed()
    values = subscription(before, unsubscribed=unsubscribed)
    return edit(work, actor, customers_of(work), before, values, happened)


def _customer(work: Work, ref: Ref, if_version: int | None) -> Customer:
    customer = found(customers_of(work).get(number(ref, "cus"), for_update=True), ref)
    require_version(customer.version, if_version)
    return customer


def _profile_number(work: Work, ref: Ref) -> int:
    profiles = profiles_of(work)
    # Locked before its customers, as when a profile is deleted, so that it cannot be deleted before the link is stored.
    return found(profiles.get(number(ref, "prf", "profile_id"), for_update=True), ref, "profile_id").id


def _new_customer(work: Work, given: NewCustomer) -> Customer:
    values = checked(given, CREATABLE)
    if "system" not in values:
        raise InvalidInput("A customer needs a system.", path=("system",))
    if values["system"].lower() not in work.kinds:
        raise InvalidInput("There is no such system.", path=("system",))
    if values.get("name") is None:
        values["name"] = full_name(values.get("first_name"), values.get("last_name"))
    if values.get("customer_key") is None:
        values["customer_key"] = work.ids.uuid()
    return Customer(id=0, created_at=work.now, updated_at=work.now, **values)


def _known(work: Work, new: Customer) -> Customer | None:
    customers = customers_of(work)
    known = customers.get_by_key(new.customer_key)
    if known is None and new.display_id is not None:
        known = customers.get_by_display_id(new.system, new.channel, new.display_id)
    if known is None and new.phone_number is not None and new.system == BY_NUMBER:
        known = customers.get_by_phone_number(new.phone_number)
    return known


def _require_free(work: Work, customer: Customer) -> None:
    customers = customers_of(work)
    if customers.get_by_key(customer.customer_key) is not None:
        raise AlreadyExists("Another customer has this key.", path=("customer_key",))
    if customer.display_id is not None and customers.get_by_display_id(
        customer.system, customer.channel, customer.display_id
    ):
        raise AlreadyExists("Another customer of this system and channel has this id.", path=("display_id",))
    if customer.phone_number is not None and customer.system == BY_NUMBER:
        _require_free_number(work, customer.phone_number)


def _require_free_number(work: Work, phone_number: str) -> None:
    if customers_of(work).get_by_phone_number(phone_number) is not None:
        raise AlreadyExists("Another customer has this telephone number.", path=("phone_number",))
