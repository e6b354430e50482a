"""The inputs of messages: contents and targets."""

from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

import strawberry
from strawberry import Maybe, Some

from app.graph.scalars import Long
from app.interactions.graphql.targets import CustomerTargetInput


@strawberry.input(description="A text.")
class TextContentInput:
    content: str = strawberry.field(description="The text of the content, 1 to 65,536 characters.")


@strawberry.input
class _File:
    uuid: str | None = strawberry.field(
        default=None, description="The id of the file in the system that stores it. Generated when only a URL is given."
    )
    name: str | None = strawberry.field(default=None, description="The name of the file.")
    mime_type: str = strawberry.field(description="The type of the file, such as `audio/ogg`.")
    size: Long | None = strawberry.field(default=None, description="The size of the file in bytes.")
    download_url: str | None = strawberry.field(default=None, description="The URL of the file that needs a token.")
    public_download_url: str | None = strawberry.field(
        default=None, description="The URL of the file that needs no token."
    )


@strawberry.input(description="An image, by reference.")
class ImageContentInput(_File):
    caption: str | None = strawberry.field(default=None, description="The caption of the image.")


@strawberry.input(description="A video, by reference.")
class VideoContentInput(_File):
    caption: str | None = strawberry.field(default=None, description="The caption of the video.")


@strawberry.input(description="An audio recording, by reference.")
class AudioContentInput(_File):
    voice: bool = strawberry.field(default=False, description="Whether the audio is a voice recording.")


@strawberry.input(description="A document, by reference.")
class DocumentContentInput(_File):
    filename: str | None = strawberry.field(default=None, description="The name of the document.")
    caption: str | None = strawberry.field(default=None, description="The caption of the document.")


@strawberry.input(description="A place.")
class LocationContentInput:
    latitude: str = strawberry.field(description="The latitude of the place in decimal degrees, -90 to 90.")
    longitude: str = strawberry.field(description="The longitude of the place in decimal degrees, -180 to 180.")
    address: str | None = strawberry.field(default=None, description="The address of the place.")
    name: str | None = strawberry.field(default=None, description="The name of the place.")
    url: str | None = strawberry.field(default=None, description="The URL of the place.")


@strawberry.input(description="The name of a contact.")
class ContactNameInput:
    formatted_name: str = strawberry.field(description="The full name of the contact.")
    first_name: str | None = strawberry.field(default=None, description="The first name of the contact.")
    middle_name: str | None = strawberry.field(default=None, description="The middle name of the contact.")
    last_name: str | None = strawberry.field(default=None, description="The last name of the contact.")
    prefix: str | None = strawberry.field(default=None, description="The prefix of the contact's name.")
    suffix: str | None = strawberry.field(default=None, description="The suffix of the contact's name.")


@strawberry.input(description="A telephone number of a contact.")
class ContactPhoneInput:
    phone: str = strawberry.field(description="The telephone number of the contact.")
    type: str | None = strawberry.field(default=None, description="The type of the telephone number.")


@strawberry.input(description="An e-mail address of a contact.")
class ContactEmailInput:
    email: str = strawberry.field(description="The e-mail address of the contact.")
    type: str | None = strawberry.field(default=None, description="The type of the e-mail address.")


@strawberry.input(description="An address of a contact.")
class ContactAddressInput:
    street: str | None = strawberry.field(default=None, description="The street of the address.")
    city: str | None = strawberry.field(default=None, description="The city of the address.")
    state: str | None = strawberry.field(default=None, description="The state of the address.")
    zip: str | None = strawberry.field(default=None, description="The postal code of the address.")
    country: str | None = strawberry.field(default=None, description="The country of the address.")
    country_code: str | None = strawberry.field(default=None, description="The country code of the address.")
    type: str | None = strawberry.field(default=None, description="The type of the address.")


@strawberry.input(description="Where a contact works.")
class ContactOrganizationInput:
    company: str | None = strawberry.field(default=None, description="The company of the contact.")
    department: str | None = strawberry.field(default=None, description="The department of the contact.")
    title: str | None = strawberry.field(default=None, description="The title of the contact.")


@strawberry.input(description="A contact, as from an address book.")
class ContactContentInput:
    name: ContactNameInput = strawberry.field(description="The name of the contact.")
    birthday: date | None = strawberry.field(default=None, description="The date of birth of the contact.")
    phones: list[ContactPhoneInput] | None = strawberry.field(
        default=None, description="The telephone numbers of the contact, at most 32."
    )
    emails: list[ContactEmailInput] | None = strawberry.field(
        default=None, description="The e-mail addresses of the contact, at most 32."
    )
    addresses: list[ContactAddressInput] | None = strawberry.field(
        default=None, description="The addresses of the contact, at most 32."
    )
    org: ContactOrganizationInput | None = strawberry.field(
        default=None, description="The organization of the contact."
    )


@strawberry.input(one_of=True, description="The content of a message: exactly one of these.")
class MessageContentInput:
    text: Maybe[TextContentInput] = strawberry.field(description="The text of the message.")
    image: Maybe[ImageContentInput] = strawberry.field(description="The image of the message.")
    video: Maybe[VideoContentInput] = strawberry.field(description="The video of the message.")
    audio: Maybe[AudioContentInput] = strawberry.field(description="The audio of the message.")
    document: Maybe[DocumentContentInput] = strawberry.field(description="The document of the message.")
    location: Maybe[LocationContentInput] = strawberry.field(description="The place of the message.")
    contact: Maybe[ContactContentInput] = strawberry.field(description="The contact of the message.")


@strawberry.input(one_of=True, description="The target of a received message: exactly one of these.")
class ReceiveMessageTarget:
    interaction_id: Maybe[strawberry.ID] = strawberry.field(description="The id of the interaction, of any kind.")
    customer: Maybe[CustomerTargetInput] = strawberry.field(
        description="The customer. The message goes to the customer's open interaction, or opens one."
    )


def content_of(given: MessageContentInput) -> dict[str, Any]:
    """The content as commands take it: its `type`, and the fields of that type."""
    for field in fields(given):
        found = getattr(given, field.name)
        if isinstance(found, Some):
            return {"type": field.name, **_plain(found.value)}
    return {}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not is_dataclass(value):
        return value
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
