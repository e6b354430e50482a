"""The types of message contents in the graph."""

from datetime import date
from typing import Annotated

import strawberry

from app.graph.scalars import Long


@strawberry.type(description="A text.")
class TextMessageContent:
    content: str = strawberry.field(description="The text of the content.")


@strawberry.type
class _File:
    has_file: bool = strawberry.field(description="Whether the content has a file: always true.")
    uuid: str = strawberry.field(description="The id of the file in the system that keeps it.")
    name: str | None = strawberry.field(description="The name of the file.")
    mime_type: str = strawberry.field(description="The type of the file, such as `audio/ogg`.")
    size: Long | None = strawberry.field(description="The size of the file in bytes.")
    download_url: str | None = strawberry.field(description="The URL of the file that needs a token.")
    public_download_url: str | None = strawberry.field(description="The URL of the file that needs no token.")


@strawberry.type(description="An image.")
class ImageMessageContent(_File):
    caption: str | None = strawberry.field(description="The caption of the image.")


@strawberry.type(description="A video.")
class VideoMessageContent(_File):
    caption: str | None = strawberry.field(description="The caption of the video.")


@strawberry.type(description="An audio recording.")
class AudioMessageContent(_File):
    voice: bool = strawberry.field(description="Whether the audio is a voice recording.")


@strawberry.type(description="A document.")
class DocumentMessageContent(_File):
    filename: str | None = strawberry.field(description="The name of the document.")
    caption: str | None = strawberry.field(description="The caption of the document.")


@strawberry.type(description="A place.")
class LocationMessageContent:
    latitude: str = strawberry.field(description="The latitude of the place in decimal degrees.")
    longitude: str = strawberry.field(description="The longitude of the place in decimal degrees.")
    address: str | None = strawberry.field(description="The address of the place.")
    name: str | None = strawberry.field(description="The name of the place.")
    url: str | None = strawberry.field(description="The URL of the place.")


@strawberry.type(description="The name of a contact.")
class ContactName:
    formatted_name: str = strawberry.field(description="The full name of the contact.")
    first_name: str | None = strawberry.field(description="The first name of the contact.")
    middle_name: str | None = strawberry.field(description="The middle name of the contact.")
    last_name: str | None = strawberry.field(description="The last name of the contact.")
    prefix: str | None = strawberry.field(description="The prefix of the contact's name.")
    suffix: str | None = strawberry.field(description="The suffix of the contact's name.")


@strawberry.type(description="A telephone number of a contact.")
class ContactPhone:
    phone: str = strawberry.field(description="The telephone number of the contact.")
    type: str | None = strawberry.field(description="The type of the telephone number.")


@strawberry.type(description="An e-mail address of a contact.")
class ContactEmail:
    email: str = strawberry.field(description="The e-mail address of the contact.")
    type: str | None = strawberry.field(description="The type of the e-mail address.")


@strawberry.type(description="An address of a contact.")
class ContactAddress:
    street: str | None = strawberry.field(description="The street of the address.")
    city: str | None = strawberry.field(description="The city of the address.")
    state: str | None = strawberry.field(description="The state of the address.")
    zip: str | None = strawberry.field(description="The postal code of the address.")
    country: str | None = strawberry.field(description="The country of the address.")
    country_code: str | None = strawberry.field(description="The country code of the address.")
    type: str | None = strawberry.field(description="The type of the address.")


@strawberry.type(description="Where a contact works.")
class ContactOrganization:
    company: str | None = strawberry.field(description="The company of the contact.")
    department: str | None = strawberry.field(description="The department of the contact.")
    title: str | None = strawberry.field(description="The title of the contact.")


@strawberry.type(description="A contact, as from an address book.")
class ContactMessageContent:
    name: ContactName = strawberry.field(description="The name of the contact.")
    birthday: date | None = strawberry.field(description="The date of birth of the contact.")
    phones: list[ContactPhone] = strawberry.field(description="The telephone numbers of the contact.")
    emails: list[ContactEmail] = strawberry.field(description="The e-mail addresses of the contact.")
    addresses: list[ContactAddress] = strawberry.field(description="The addresses of the contact.")
    org: ContactOrganization | None = strawberry.field(description="The organization of the contact.")


MessageContent = Annotated[
    TextMessageContent
    | ImageMessageContent
    | VideoMessageContent
    | AudioMessageContent
    | DocumentMessageContent
    | LocationMessageContent
    | ContactMessageContent,
    strawberry.union("MessageContent", description="The content of a message."),
]
