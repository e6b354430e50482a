"""The people of the tests of kinds: users 1 to 4, and customers."""

from typing import Any

from app import registry
from app.core.actor import Actor
from app.directory.model import Customer, User
from app.directory.repository import CustomerRepository, UserRepository
from app.storage.database import Work
from tests.conftest import START
from tests.remembering import remembered

KINDS = tuple(kind.name for kind in registry.KINDS)
ADA = Actor(user_id=1, name="Ada", is_admin=True)
BO = Actor(
    user_id=2, name="Bo", permissions=frozenset(f"{kind}:{verb}" for kind in KINDS for verb in ("read", "write"))
)
CY = Actor(user_id=3, name="Cy", permissions=frozenset(f"{kind}:read" for kind in KINDS))
DEE = Actor(user_id=4, name="Dee")


@remembered
def store_users(work: Work) -> None:
    """Users whose surrogates are those of the actors above."""
    for actor in (ADA, BO, CY, DEE):
        user = User(
            id=0,
            name=actor.name,
            login=actor.name.lower(),
            roles=("admin",) if actor.is_admin else (),
            permissions=tuple(sorted(actor.permissions)),
            created_at=START,
            updated_at=START,
        )
        work.use(UserRepository).add(user)


def store_customer(work: Work, **given: Any) -> int:
    """A customer; its surrogate."""
    customer = Customer(id=0, created_at=START, updated_at=START, **given)
    return work.use(CustomerRepository).add(customer).id
