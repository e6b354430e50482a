"""The mutations of customers and profiles."""

import strawberry

from app.directory import service
from app.directory.graphql.inputs import (
    CreateCustomerInput,
    CreateProfileInput,
    CustomerPayload,
    DeleteProfilePayload,
    LinkCustomerInput,
    ProfilePayload,
    UpdateCustomerInput,
    UpdateProfileInput,
)
from app.directory.model import CustomerChanges, NewCustomer, Profile, ProfileChanges
from app.directory.model.customer import CHANGEABLE as CUSTOMER
from app.directory.model.profile import CHANGEABLE as PROFILE
from app.graph.context import Info
from app.graph.fields import EditInput, mutation
from app.graph.inputs import changes

_NEW_PROFILE = tuple(name for name in PROFILE if name != "name")


def _deleted_profile(gone: Profile) -> dict[str, object]:
    return {"deleted_id": f"prf_{gone.id}"}


@strawberry.type
class CustomerMutation:
    @mutation(description="Create a customer. Needs `directory:write`.", input="The customer to create.")
    async def create_customer(self, info: Info, input: CreateCustomerInput) -> CustomerPayload:
        given: NewCustomer = {
            "system": input.system,
            **changes(NewCustomer, input, "channel", "display_id", "customer_key", *CUSTOMER),
        }
        return await info.context.perform(
            input,
            "customer",
            service.create_customer,
            given,
            profile=input.profile_id,
            idempotency_key=input.idempotency_key,
        )

    @mutation(
        description="Change a customer. Needs `directory:write`.",
        input="The customer to change, and the fields to change.",
    )
    async def update_customer(self, info: Info, input: UpdateCustomerInput) -> CustomerPayload:
        return await info.context.perform(
            input,
            "customer",
            service.update_customer,
            input.id,
            changes(CustomerChanges, input, *CUSTOMER),
            if_version=input.if_version,
        )

    @mutation(
        description="Resume sending messages to a customer. Needs `directory:write`.",
        input="The customer to subscribe.",
    )
    async def subscribe_customer(self, info: Info, input: EditInput) -> CustomerPayload:
        return await info.context.perform(
            input, "customer", service.subscribe_customer, input.id, if_version=input.if_version
        )

    @mutation(
        description="Stop sending messages to a customer. Needs `directory:write`.",
        input="The customer to unsubscribe.",
    )
    async def unsubscribe_customer(self, info: Info, input: EditInput) -> CustomerPayload:
        return await info.context.perform(
            input, "customer", service.unsubscribe_customer, input.id, if_version=input.if_version
        )

    @mutation(
        description="Link a customer to a profile. Needs `directory:write`.",
        input="The customer and the profile to link.",
    )
    async def link_customer(self, info: Info, input: LinkCustomerInput) -> CustomerPayload:
        return await info.context.perform(
            input, "customer", service.link_customer, input.id, input.profile_id, if_version=input.if_version
        )

    @mutation(
        description="Unlink a customer from its profile. Needs `directory:write`.", input="The customer to unlink."
    )
    async def unlink_customer(self, info: Info, input: EditInput) -> CustomerPayload:
        return await info.context.perform(
            input, "customer", service.unlink_customer, input.id, if_version=input.if_version
        )


@strawberry.type
class ProfileMutation:
    @mutation(description="Create a profile of a person. Needs `directory:write`.", input="The profile to create.")
    async def create_profile(self, info: Info, input: CreateProfileInput) -> ProfilePayload:
        return await info.context.perform(
            input,
            "profile",
            service.create_profile,
            {"name": input.name, **changes(ProfileChanges, input, *_NEW_PROFILE)},
            idempotency_key=input.idempotency_key,
        )

    @mutation(
        description="Change a profile. Needs `directory:write`.",
        input="The profile to change, and the fields to change.",
    )
    async def update_profile(self, info: Info, input: UpdateProfileInput) -> ProfilePayload:
        return await info.context.perform(
            input,
            "profile",
            service.update_profile,
            input.id,
            changes(ProfileChanges, input, *PROFILE),
            if_version=input.if_version,
        )

    @mutation(
        description="Erase a profile. Its customers stay and are unlinked. Needs `directory:write`.",
        input="The profile to erase.",
    )
    async def delete_profile(self, info: Info, input: EditInput) -> DeleteProfilePayload:
        return await info.context.perform(
            input, _deleted_profile, service.delete_profile, input.id, if_version=input.if_version
        )

    @mutation(
        description="Block a person: no message is sent to any of the person's customers. Needs `directory:write`.",
        input="The profile to block.",
    )
    async def block_profile(self, info: Info, input: EditInput) -> ProfilePayload:
        return await info.context.perform(
            input, "profile", service.block_profile, input.id, if_version=input.if_version
        )

    @mutation(description="Unblock a person. Needs `directory:write`.", input="The profile to unblock.")
    async def unblock_profile(self, info: Info, input: EditInput) -> ProfilePayload:
        return await info.context.perform(
            input, "profile", service.unblock_profile, input.id, if_version=input.if_version
        )
