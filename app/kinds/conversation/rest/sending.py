"""The messages that requests bring, by the type of their content."""

import re
from collections.abc import Mapping
from datetime import date
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, SkipValidation, WithJsonSchema

from app.core.ids import GlobalId
from app.interactions.contents import LARGEST_FILE, LONGEST_LINE, LONGEST_TEXT, LONGEST_URL, ContentType
from app.kinds.conversation.rest.shapes import ContactAddress, ContactEmail, ContactName, ContactOrg, ContactPhone
from app.rest.bodies import ABSENT, Body, Faults, Ruled, Told, Within, told
from app.rest.call import picked

_LARGEST = 2**63 - 1
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T00:00:00(?:\.0{1,6})?Z)?", re.ASCII)
_NO_OBJECT = "This takes an object."
_ONE_WORD = r"^[^\x00-\x1f\x7f\s]+$"
_NO_TYPE = f"The type is one of {', '.join(ContentType)}."


def _day(value: Any) -> date | None:
    """A day, or the midnight that it begins with, which is how the contract's own example writes it."""
    if value is None:
        return None
    match = _DAY.fullmatch(value) if isinstance(value, str) else None
    try:
        if match is not None:
            return date.fromisoformat(match[1])
    except ValueError:
        pass
    raise told("This takes a day, such as 1970-01-01.")


def _known(shape: Any, value: Any) -> Any:
    """Without what the shape does not have; what is no object at all is the service's to refuse."""
    return picked(value, tuple(shape.__annotations__)) if isinstance(value, dict) else value


def _each_known(shape: Any, value: Any) -> Any:
    return [_known(shape, each) for each in value] if isinstance(value, list) else value


_Name = Annotated[ContactName, SkipValidation(), BeforeValidator(partial(_known, ContactName))]
_Org = Annotated[ContactOrg, SkipValidation(), BeforeValidator(partial(_known, ContactOrg))]
_Phones = Annotated[list[ContactPhone], SkipValidation(), BeforeValidator(partial(_each_known, ContactPhone))]
_Emails = Annotated[list[ContactEmail], SkipValidation(), BeforeValidator(partial(_each_known, ContactEmail))]
_Addresses = Annotated[list[ContactAddress], SkipValidation(), BeforeValidator(partial(_each_known, ContactAddress))]
_Birthday = Annotated[
    date | None,
    PlainValidator(_day),
    WithJsonSchema({"type": ["string", "null"], "format": "date", "examples": ["1970-01-01"]}),
]
_Caption = Ruled[Annotated[str, Within(most=LONGEST_TEXT)] | None]
_Reference = Annotated[
    int,
    Field(ge=1, le=_LARGEST, description="The message of the same conversation that this one refers to."),
    Told(f"This takes a whole number from 1 to {_LARGEST}."),
]


class NewText(Body, json_schema_extra={"required": ["content"]}):
    """A text."""

    content: Ruled[Annotated[str, Within(1, LONGEST_TEXT)]] = ABSENT


class NewCaption(Body):
    """What stands below an image or a video."""

    caption: _Caption = None


class NewVoice(Body):
    """Whether a recording is of a voice."""

    voice: Ruled[bool | None] = None


class NewDocument(Body):
    """A document's name, and what stands below it."""

    filename: Ruled[Annotated[str, Within(most=LONGEST_LINE)] | None] = None
    caption: _Caption = None


class NewLocation(Body, json_schema_extra={"required": ["latitude", "longitude"]}):
    """A place, by its coordinates in decimal degrees."""

    latitude: Ruled[str] = ABSENT
    longitude: Ruled[str] = ABSENT
    address: Ruled[str | None] = None
    name: Ruled[str | None] = None
    url: Ruled[str | None] = None


class NewContact(Body, json_schema_extra={"required": ["name"]}):
    """A person to get in touch with."""

    name: _Name = ABSENT
    birthday: _Birthday = None
    phones: _Phones = ABSENT
    emails: _Emails = ABSENT
    addresses: _Addresses = ABSENT
    org: _Org = ABSENT


class NewFile(
    Body,
    json_schema_extra={"required": ["mime_type"], "anyOf": [{"required": ["url"]}, {"required": ["internal_uuid"]}]},
):
    """Where a file is, or its known key."""

    internal_uuid: Ruled[Annotated[str, Within(1, 64, _ONE_WORD)]] = ABSENT
    mime_type: Ruled[Annotated[str, Within(1, 255, _ONE_WORD), Field(examples=["audio/ogg"])]] = ABSENT
    size: Ruled[Annotated[int, Within(0, LARGEST_FILE)] | None] = None
    url: Ruled[Annotated[str, Within(1, LONGEST_URL, _ONE_WORD)]] = ABSENT


_FILE_KEPT = MappingProxyType({"internal_uuid": "uuid", "url": "public_download_url"})


class NewMessage(Body):
    """Which type of content a message has; each type is read by a model of its own."""

    type: Annotated[Literal["text", "image", "video", "audio", "document", "location", "contact"], Told(_NO_TYPE)]

    faults = Faults(MappingProxyType({"missing": _NO_TYPE}))


class _Typed(Body):
    faults = Faults(MappingProxyType({"missing": _NO_OBJECT, "model_type": _NO_OBJECT}))


class NewTextMessage(_Typed):
    """A message that is a text."""

    type: Literal["text"]
    text: NewText
    reference_id: _Reference | None = None


class NewImageMessage(_Typed):
    """A message that is an image."""

    type: Literal["image"]
    image: NewCaption | None = None
    file: NewFile
    reference_id: _Reference | None = None


class NewVideoMessage(_Typed):
    """A message that is a video."""

    type: Literal["video"]
    video: NewCaption | None = None
    file: NewFile
    reference_id: _Reference | None = None


class NewAudioMessage(_Typed):
    """A message that is a recording."""

    type: Literal["audio"]
    audio: NewVoice | None = None
    file: NewFile
    reference_id: _Reference | None = None


class NewDocumentMessage(_Typed):
    """A message that is a document."""

    type: Literal["document"]
    document: NewDocument | None = None
    file: NewFile
    reference_id: _Reference | None = None


class NewLocationMessage(_Typed):
    """A message that is a place."""

    type: Literal["location"]
    location: NewLocation
    reference_id: _Reference | None = None


class NewContactMessage(_Typed):
    """A message that is a person to get in touch with."""

    type: Literal["contact"]
    contact: NewContact
    reference_id: _Reference | None = None


Sent = (
    NewTextMessage
    | NewImageMessage
    | NewVideoMessage
    | NewAudioMessage
    | NewDocumentMessage
    | NewLocationMessage
    | NewContactMessage
)
"""A message of any type."""

SENT = Annotated[Sent, Field(discriminator="type")]

_MODELS: Mapping[str, type[Sent]] = MappingProxyType(
    {
        "text": NewTextMessage,
        "image": NewImageMessage,
        "video": NewVideoMessage,
        "audio": NewAudioMessage,
        "document": NewDocumentMessage,
        "location": NewLocationMessage,
        "contact": NewContactMessage,
    }
)


def read(body: object) -> Sent:
    """The message that a request brings. Raises InvalidInput."""
    return _MODELS[NewMessage.read(body).type].read(body)


def content_of(message: Sent) -> Mapping[str, Any]:
    """The content, as messages of every kind hold it, with what the request has of it."""
    part: Body | None = getattr(message, message.type)
    file: Body | None = getattr(message, "file", None)
    found = {"type": message.type} if part is None else {"type": message.type, **part.given()}
    if file is not None:
        found |= {_FILE_KEPT.get(name, name): value for name, value in file.given().items()}
    return found


def reference_of(message: Sent) -> GlobalId | None:
    """The message that this one refers to."""
    return None if message.reference_id is None else GlobalId("msg", message.reference_id)
