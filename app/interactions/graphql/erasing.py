"""The mutation that erases a customer together with its interactions."""

import strawberry

from app.directory.graphql.inputs import DeleteCustomerPayload
from app.directory.model import Customer
from app.graph.context import Info
from app.graph.fields import EditInput, mutation
from app.interactions.service.erasing import erase_customer


def _deleted(gone: Customer) -> dict[str, object]:
    return {"deleted_id": f"cus_{gone.id}"}


@strawberry.type
class ErasingMutation:
    @mutation(
        description="Erase a customer and all its interactions. Needs `directory:write`.",
        input="The customer to erase.",
    )
    async def delete_customer(self, info: Info, input: EditInput) -> DeleteCustomerPayload:
        return await info.context.perform(input, _deleted, erase_customer, input.id, if_version=input.if_version)
