"""What messages hold, in requests and answers alike."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict


class ContactName(TypedDict):
    """A person's name."""

    formatted_name: str
    first_name: str | None
    middle_name: NotRequired[str | None]
    last_name: NotRequired[str | None]
    prefix: NotRequired[str | None]
    suffix: NotRequired[str | None]


class ContactPhone(TypedDict, total=False):
    """A telephone number."""

    phone: str
    type: str


class ContactEmail(TypedDict, total=False):
    """An e-mail address."""

    email: str
    type: str


class ContactAddress(TypedDict, total=False):
    """A postal address."""

    street: str
    city: str
    state: str
    zip: str
    country: str
    country_code: str
    type: str


class ContactOrg(TypedDict, total=False):
    """Where a person works."""

    company: str
    department: str
    title: str


class FileMessageContent(TypedDict):
    """What all files have."""

    has_file: Literal[True]
    uuid: Annotated[str, Field(description="The file's key in the contract.")]
    name: str | None
    mime_type: Annotated[str, Field(examples=["audio/ogg"])]
    size: NotRequired[Annotated[int, Field(description="In bytes.")]]
    download_url: NotRequired[Annotated[str, Field(description="Asks for a key.")]]
    public_download_url: NotRequired[Annotated[str, Field(description="Asks for no key.")]]


class TextMessageContent(TypedDict):
    """A text."""

    type: Literal["text"]
    content: str


class ImageMessageContent(FileMessageContent):
    """An image."""

    type: Literal["image"]
    caption: str | None


class VideoMessageContent(FileMessageContent):
    """A video."""

    type: Literal["video"]
    caption: str | None


class AudioMessageContent(FileMessageContent):
    """A recording; `voice` says whether it is of a voice."""

    type: Literal["audio"]
    voice: bool


class DocumentMessageContent(FileMessageContent):
    """A document."""

    type: Literal["document"]
    filename: str | None
    caption: str | None


class LocationMessageContent(TypedDict):
    """A place, by its coordinates in decimal degrees."""

    type: Literal["location"]
    latitude: str
    longitude: str
    address: str | None
    name: str | None
    url: str | None


class ContactMessageContent(TypedDict):
    """A person to get in touch with."""

    type: Literal["contact"]
    name: ContactName
    birthday: Annotated[str, Field(json_schema_extra={"format": "date"}, examples=["1970-01-01"])] | None
    phones: list[ContactPhone]
    emails: list[ContactEmail]
    addresses: list[ContactAddress]
    org: NotRequired[ContactOrg]


Content = Annotated[
    TextMessageContent
    | ImageMessageContent
    | VideoMessageContent
    | AudioMessageContent
    | DocumentMessageContent
    | LocationMessageContent
    | ContactMessageContent,
    Field(discriminator="type"),
]
