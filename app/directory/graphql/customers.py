"""The mutations of customers and profiles."""

from typing import Annotated

import strawberry

from app.directory import service
from app.directory.graphql.inputs import (
    CreateCustomerInput,
    CreateProfileInput,
    CustomerInput,
    CustomerPayload,
    DeleteProfilePayload,
    LinkCustomerInput,
    ProfileInput,
    ProfilePayload,
    UpdateCustomerInput,
    UpdateProfileInput,
)
from app.directory.model import CustomerChanges, NewCustomer, Profile, ProfileChanges
from app.directory.model.customer import CHANGEABLE as CUSTOMER
from app.directory.model.profile import CHANGEABLE as PROFILE
from app.graph.context import Info
from app.graph.fields import mutation
from app.graph.inputs import changes

_NEW_PROFILE = tuple(name for name in PROFILE if name != "name")
_What = strawberry.argument(description="What to do.")


def _deleted_profile(gone: Profile) -> dict[str, object]:
    return {"deleted_id": f"prf_{gone.id}"}


@strawberry.type
class CustomerMutation:
    @mutation(description="Make a customer known. Needs `directory:write`.")
    async def create_customer(self, info: Info, input: Annotated[CreateCustomerInput, _What]) -> CustomerPayload:
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

    @mutation(description="Change a customer. Needs `directory:write`.")
    async def update_customer(self, info: Info, input: Annotated[UpdateCustomerInput, _What]) -> CustomerPayload:
        return await info.context.perform(
            input,
            "customer",
            service.update_customer,
            input.id,
            changes(CustomerChanges, input, *CUSTOMER),
            if_version=input.if_version,
        )

    @mutation(description="Let a customer receive messages again. Needs `directory:write`.")
    async def subscribe_customer(self, info: Info, input: Annotated[CustomerInput, _What]) -> CustomerPayload:
        return await info.context.perform(
            input, "customer", service.subscribe_customer, input.id, if_version=input.if_version
        )

    @mutation(description="Send a customer no more messages. Needs `directory:write`.")
    async def unsubscribe_customer(self, info: Info, input: Annotated[CustomerInput, _What]) -> CustomerPayload:
        return await info.context.perform(
            input, "customer", service.unsubscribe_customer, input.id, if_version=input.if_version
        )

    @mutation(description="Say whose profile a customer belongs to. Needs `directory:write`.")
    async def link_customer(self, info: Info, input: Annotated[LinkCustomerInput, _What]) -> CustomerPayload:
        return await info.context.perform(
            input, "customer", service.link_customer, input.id, input.profile_id, if_version=input.if_version
        )

    @mutation(description="Say that a customer belongs to no profile. Needs `directory:write`.")
    async def unlink_customer(self, info: Info, input: Annotated[CustomerInput, _What]) -> CustomerPayload:
        return await info.context.perform(
            input, "customer", service.unlink_customer, input.id, if_version=input.if_version
        )


@strawberry.type
class ProfileMutation:
    @mutation(description="Make a person known. Needs `directory:write`.")
    async def create_profile(self, info: Info, input: Annotated[CreateProfileInput, _What]) -> ProfilePayload:
        return await info.context.perform(
            input,
            "profile",
            service.create_profile,
            {"name": input.name, **changes(ProfileChanges, input, *_NEW_PROFILE)},
            idempotency_key=input.idempotency_key,
        )

    @mutation(description="Change a profile. Needs `directory:write`.")
    async def update_profile(self, info: Info, input: Annotated[UpdateProfileInput, _What]) -> ProfilePayload:
        return await info.context.perform(
            input,
            "profile",
            service.update_profile,
            input.id,
            changes(ProfileChanges, input, *PROFILE),
            if_version=input.if_version,
        )

    @mutation(description="Erase a profile; its customers stay, linked to nobody. Needs `directory:write`.")
    async def delete_profile(self, info: Info, input: Annotated[ProfileInput, _What]) -> DeleteProfilePayload:
        return await info.context.perform(
            input, _deleted_profile, service.delete_profile, input.id, if_version=input.if_version
        )

    @mutation(description="Let nothing more be sent to a person. Needs `directory:write`.")
    async def block_profile(self, info: Info, input: Annotated[ProfileInput, _What]) -> ProfilePayload:
        return await info.context.perform(
            input, "profile", service.block_profile, input.id, if_version=input.if_version
        )

    @mutation(description="Let a person be written to again. Needs `directory:write`.")
    async def unblock_profile(self, info: Info, input: Annotated[ProfileInput, _What]) -> ProfilePayload:
        return await info.context.perform(
            input, "profile", service.unblock_profile, input.id, if_version=input.if_version
        )
