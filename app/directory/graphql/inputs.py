"""The inputs and payloads of the directory's mutations."""

from datetime import date, datetime

import strawberry
from strawberry import Maybe
from strawberry.scalars import JSON

from app.directory.graphql.customer_types import Customer, Profile
from app.directory.graphql.enums import PermissionName, SystemName
from app.directory.graphql.types import ApiKey, User
from app.directory.model import Channel, Gender, Salutation, UserType
from app.graph.fields import EditInput, MutationInput, MutationPayload, OnceInput

# ---- customers ----------------------------------------------------------------------------------------------------


@strawberry.input
class _CustomerFields:
    name: Maybe[str | None] = strawberry.field(
        description="The name of the customer, up to 255 characters. The default is the first and last name."
    )
    phone_number: Maybe[str | None] = strawberry.field(
        description="The telephone number of the customer, 3 to 31 digits; unique among customers of SESSION."
    )
    unconfirmed_phone_number: Maybe[str | None] = strawberry.field(
        description="The telephone number that the customer has not confirmed, 3 to 31 digits."
    )
    country_code: Maybe[str | None] = strawberry.field(
        description="The country of the customer: two or three letters, or its calling code."
    )
    email: Maybe[str | None] = strawberry.field(description="The e-mail address of the customer, up to 254 characters.")
    first_name: Maybe[str | None] = strawberry.field(
        description="The first name of the customer, up to 255 characters."
    )
    last_name: Maybe[str | None] = strawberry.field(description="The last name of the customer, up to 255 characters.")
    time_zone: Maybe[str | None] = strawberry.field(description="The time zone of the customer, as `Europe/Oslo`.")
    tags: Maybe[list[str] | None] = strawberry.field(
        description="All tags of the customer, at most 100 of up to 255 characters. Null means none."
    )
    shipping_rate: Maybe[int | None] = strawberry.field(description="The shipping rate of the customer, 0 or more.")
    billing_address: Maybe[JSON | None] = strawberry.field(
        description="The billing address of the customer: an object of up to 16,384 bytes."
    )
    shipping_address: Maybe[JSON | None] = strawberry.field(
        description="The shipping address of the customer: an object of up to 16,384 bytes."
    )
    card: Maybe[JSON | None] = strawberry.field(
        description="The payment card of the customer: an object of up to 16,384 bytes."
    )
    company_name: Maybe[str | None] = strawberry.field(description="The company of the customer, up to 255 characters.")
    confirmed_at: Maybe[datetime | None] = strawberry.field(
        description="The time of the confirmation of the customer's telephone number."
    )


@strawberry.input(description="A new customer.")
class CreateCustomerInput(_CustomerFields, OnceInput):
    system: SystemName = strawberry.field(description="The system of the customer.")
    channel: Maybe[Channel | None] = strawberry.field(description="The messenger service of the customer.")
    display_id: Maybe[str | None] = strawberry.field(
        description="The id of the customer on its channel, 1 to 255 characters; unique in system and channel."
    )
    customer_key: Maybe[str | None] = strawberry.field(
        description="The key of the customer in its own system, 1 to 255 characters. Generated when absent."
    )
    profile_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the profile of the customer."
    )


@strawberry.input(description="The changes to a customer. An absent field keeps its value; null clears it.")
class UpdateCustomerInput(_CustomerFields, EditInput):
    pass


@strawberry.input(description="The customer to link, and its profile.")
class LinkCustomerInput(EditInput):
    profile_id: strawberry.ID = strawberry.field(description="The id of the profile.")


@strawberry.type(description="The result of a mutation of a customer.")
class CustomerPayload(MutationPayload):
    customer: Customer | None = strawberry.field(description="The customer as it is now; null after a refusal.")


@strawberry.type(description="The result of deleting a customer.")
class DeleteCustomerPayload(MutationPayload):
    deleted_id: strawberry.ID | None = strawberry.field(description="The id of the customer that is gone.")


# ---- profiles -----------------------------------------------------------------------------------------------------


@strawberry.input
class _ProfileFields:
    salutation: Maybe[Salutation | None] = strawberry.field(description="The salutation of the profile.")
    gender: Maybe[Gender] = strawberry.field(description="The gender of the profile.")
    date_of_birth: Maybe[date | None] = strawberry.field(description="The date of birth of the profile.")
    phone_number: Maybe[str | None] = strawberry.field(
        description="The telephone number of the profile, 3 to 31 digits."
    )
    email: Maybe[str | None] = strawberry.field(description="The e-mail address of the profile, up to 254 characters.")
    address: Maybe[str | None] = strawberry.field(description="The address of the profile, up to 1,000 characters.")
    custom_1: Maybe[str | None] = strawberry.field(
        description="The first custom field of the profile, up to 1,000 characters."
    )
    custom_2: Maybe[str | None] = strawberry.field(
        description="The second custom field of the profile, up to 1,000 characters."
    )
    custom_3: Maybe[str | None] = strawberry.field(
        description="The third custom field of the profile, up to 1,000 characters."
    )
    custom_4: Maybe[str | None] = strawberry.field(
        description="The fourth custom field of the profile, up to 1,000 characters."
    )
    custom_5: Maybe[str | None] = strawberry.field(
        description="The fifth custom field of the profile, up to 1,000 characters."
    )


@strawberry.input(description="A new profile.")
class CreateProfileInput(_ProfileFields, OnceInput):
    name: str = strawberry.field(description="The name of the profile, 1 to 255 characters.")
    blocked: bool = strawberry.field(
        default=False, description="Whether the person is blocked: no message is sent to any of their customers."
    )


@strawberry.input(description="The changes to a profile. An absent field keeps its value; null clears it.")
class UpdateProfileInput(_ProfileFields, EditInput):
    name: Maybe[str] = strawberry.field(description="The name of the profile, 1 to 255 characters.")
    blocked: Maybe[bool] = strawberry.field(
        description="Whether the person is blocked: no message is sent to any of their customers."
    )


@strawberry.type(description="The result of a mutation of a profile.")
class ProfilePayload(MutationPayload):
    profile: Profile | None = strawberry.field(description="The profile as it is now; null after a refusal.")


@strawberry.type(description="The result of deleting a profile.")
class DeleteProfilePayload(MutationPayload):
    deleted_id: strawberry.ID | None = strawberry.field(description="The id of the profile that is gone.")


# ---- users and keys -----------------------------------------------------------------------------------------------


@strawberry.input
class _UserFields:
    full_name: Maybe[str | None] = strawberry.field(description="The full name of the user, up to 255 characters.")
    email: Maybe[str | None] = strawberry.field(description="The e-mail address of the user, up to 254 characters.")
    roles: Maybe[list[str] | None] = strawberry.field(
        description="All roles of the user, at most 32. Null means none. The caller can only give roles that it has."
    )
    permissions: Maybe[list[PermissionName] | None] = strawberry.field(
        description="All permissions of the user. Null means none. The caller can only give permissions that it has."
    )
    person_id: Maybe[int | None] = strawberry.field(
        description="The number of the user's person in the live chat's system."
    )


@strawberry.input(description="A new user.")
class CreateUserInput(_UserFields, OnceInput):
    name: str = strawberry.field(description="The name of the user, 1 to 255 characters.")
    login: str = strawberry.field(description="The login name of the user, 1 to 64 characters without spaces; unique.")
    type: UserType = strawberry.field(default=UserType.INTERNAL_ASSOCIATE, description="The type of the user's login.")
    is_service: bool = strawberry.field(default=False, description="Whether the user is a program.")


@strawberry.input(description="The changes to a user. An absent field keeps its value; null clears it.")
class UpdateUserInput(_UserFields, EditInput):
    name: Maybe[str] = strawberry.field(description="The name of the user, 1 to 255 characters.")
    login: Maybe[str] = strawberry.field(
        description="The login name of the user, 1 to 64 characters without spaces; unique."
    )
    type: Maybe[UserType] = strawberry.field(description="The type of the user's login.")
    is_service: Maybe[bool] = strawberry.field(description="Whether the user is a program.")


@strawberry.input(description="Whether chats may be offered to a user.")
class SetPresenceInput(MutationInput):
    present: bool = strawberry.field(description="Whether chats may be offered to the user.")
    user_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the user. The default is the caller."
    )


@strawberry.type(description="The result of a mutation of a user.")
class UserPayload(MutationPayload):
    user: User | None = strawberry.field(description="The user as it is now; null after a refusal.")


@strawberry.input(description="The sessions to end.")
class EndSessionsInput(MutationInput):
    user_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the user. The default is the caller."
    )
    session_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="The ids of the sessions to end, 1 to 100 that the user has open. The default is all sessions, "
        "with the access tokens and tickets from before.",
    )


@strawberry.input(description="Which identity.")
class UnlinkIdentityInput(MutationInput):
    id: strawberry.ID = strawberry.field(description="The id of the identity.")


@strawberry.input(description="A new API key.")
class CreateApiKeyInput(OnceInput):
    name: str = strawberry.field(description="The name of the API key, 1 to 255 characters.")
    user_id: strawberry.ID | None = strawberry.field(
        default=None, description="The id of the user of the API key. The default is the caller."
    )
    permissions: list[PermissionName] | None = strawberry.field(
        default=None,
        description="The permissions that the API key is narrowed to. When absent, a key that is created with a "
        "narrowed key, or for another user by anyone but an admin, has the permissions that both hold.",
    )
    expires_at: datetime | None = strawberry.field(
        default=None,
        description=(
            "The end of the API key's validity. It is at most the end of the key or access token that creates it."
        ),
    )


@strawberry.input(description="Which API key.")
class RevokeApiKeyInput(MutationInput):
    id: strawberry.ID = strawberry.field(description="The id of the API key.")
    include_made: bool = strawberry.field(
        default=False,
        description="Whether to revoke also the API keys that it created, and those that they created. Use it after "
        "a leak, not when a key is only replaced.",
    )


@strawberry.type(description="The result of creating an API key.")
class CreateApiKeyPayload(MutationPayload):
    api_key: ApiKey | None = strawberry.field(description="The API key; null after a refusal.")
    secret: str | None = strawberry.field(
        description="The secret of the API key. It is returned only here; null for a repeated request."
    )


@strawberry.input(description="The ticket to create.")
class CreateStreamTicketInput(MutationInput):
    pass


@strawberry.type(description="The result of creating a ticket.")
class CreateStreamTicketPayload(MutationPayload):
    ticket: str | None = strawberry.field(
        description="The value of the parameter `ticket` in the address of one stream. It is returned only here; "
        "null after a refusal."
    )
    begins_before: datetime | None = strawberry.field(
        description="The time until which the ticket can begin a stream; null after a refusal."
    )
    ends_at: datetime | None = strawberry.field(
        description="The time until which the stream lasts and can be resumed; null after a refusal."
    )


@strawberry.type(description="The result of revoking an API key.")
class RevokeApiKeyPayload(MutationPayload):
    api_key: ApiKey | None = strawberry.field(description="The API key as it is now; null after a refusal.")
