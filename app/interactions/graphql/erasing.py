"""The mutation that erases a customer, here because its interactions go with it."""

from typing import Annotated

import strawberry

from app.directory.graphql.inputs import CustomerInput, DeleteCustomerPayload
from app.directory.model import Customer
from app.graph.context import Info
from app.graph.fields import mutation
from app.interactions.service.erasing import erase_customer

_What = strawberry.argument(description="What to do.")


def _deleted(gone: Customer) -> dict[str, object]:
    return {"deleted_id": f"cus_{gone.id}"}


@strawberry.type
class ErasingMutation:
    @mutation(description="Erase a customer with all its interactions. Needs `directory:write`.")
    async def delete_customer(self, info: Info, input: Annotated[CustomerInput, _What]) -> DeleteCustomerPayload:
        return await info.context.perform(input, _deleted, erase_customer, input.id, if_version=input.if_version)
