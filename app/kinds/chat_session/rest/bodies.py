"""What the contract's requests bring."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, cast

from pydantic import AliasGenerator, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from app.core.numbers import LARGEST_INT
from app.interactions.contents import LONGEST_TEXT
from app.kinds.chat_session.model.limits import LENGTHS, REFERENCE_LENGTH, REFERENCES
from app.kinds.chat_session.model.session import (
    ChatMessageSpecialType,
    ChatMessageType,
    ChatSessionChanges,
    ChatSessionStatus,
)
from app.kinds.chat_session.rest import spelling
from app.kinds.chat_session.rest.reading import camel
from app.kinds.chat_session.rest.refusals import pascal
from app.kinds.chat_session.rest.spelling import AnyCase, number
from app.rest.bodies import ABSENT, APART, Ruled, Within, told

LONGEST_PARAM = 255

_UNSET_REFERENCES = (0, "0", "")
_FLAGS = ("customer_consented", "chatbot_is_active", "user_is_typing")
_TYPES = {each.wire.lower(): each for each in ChatMessageType}
_SPECIAL_TYPES = {each.wire.lower(): each for each in ChatMessageSpecialType}

_Number = Ruled[Annotated[int, Within(-LARGEST_INT - 1, LARGEST_INT)]]
_Line = Ruled[Annotated[str, Within(most=REFERENCE_LENGTH)] | None]


class _Pascal(AnyCase):
    model_config = ConfigDict(alias_generator=AliasGenerator(alias=pascal))


class _Reference(_Pascal):
    of: ClassVar[str]

    def kept(self) -> Mapping[str, object] | None:
        """The items that are said; None for a reference to nothing."""
        items, given = REFERENCES[self.of], self.given()
        if given.get(next(iter(items))) in _UNSET_REFERENCES:
            return None
        return {
            item: number(given[item]) if kind is int else given[item]
            for item, kind in items.items()
            if given.get(item) is not None
        }


class PersonInput(_Reference, json_schema_extra={"required": ["PersonId"]}):
    """A person; PersonId 0 or -1 is none, and what is not known is ignored."""

    of = "person"
    person_id: _Number = ABSENT
    firstname: _Line = None
    lastname: _Line = None
    full_name: _Line = None
    email: _Line = None
    contact_id: _Number | None = None


class ContactInput(_Reference, json_schema_extra={"required": ["ContactId"]}):
    """A contact; ContactId 0 or -1 is none, and what is not known is ignored."""

    of = "contact"
    contact_id: _Number = ABSENT
    name: _Line = None


class ProjectInput(_Reference, json_schema_extra={"required": ["ProjectId"]}):
    """A project; ProjectId 0 or -1 is none, and what is not known is ignored."""

    of = "project"
    project_id: _Number = ABSENT
    name: _Line = None


class SaleInput(_Reference, json_schema_extra={"required": ["SaleId"]}):
    """A sale; SaleId 0 or -1 is none, and what is not known is ignored."""

    of = "sale"
    sale_id: _Number = ABSENT
    title: _Line = None
    amount: Ruled[float | None] = None
    currency: _Line = None


class TicketInput(_Reference, json_schema_extra={"required": ["TicketId"]}):
    """A ticket; TicketId 0 or -1 is none, and what is not known is ignored."""

    of = "ticket"
    ticket_id: _Number = ABSENT
    title: _Line = None
    base_status: _Line = None


class ChatSessionInput(_Pascal):
    """A chat as it is to be: names in any case, numbers and booleans also as text. What cannot be written is ignored,
    and so is what is not known."""

    chat_session_id: Ruled[
        Annotated[Any, Field(description="Ignored but by SaveChatSessionEntity, where 0 or nothing makes a new chat.")]
    ] = APART
    topic_id: spelling.Int | None = None
    person: PersonInput | None = None
    contact: ContactInput | None = None
    project: ProjectInput | None = None
    sale: SaleInput | None = None
    ticket: TicketInput | None = None
    customer_alias: Annotated[str, Within(most=LENGTHS["customer_alias"])] | None = None
    customer_host: Annotated[str, Within(most=LENGTHS["customer_host"])] | None = None
    customer_name: Annotated[str, Within(most=LENGTHS["customer_name"])] | None = None
    customer_email: Annotated[str, Within(most=LENGTHS["customer_email"])] | None = None
    customer_company_name: Annotated[str, Within(most=LENGTHS["customer_company_name"])] | None = None
    customer_phone: Annotated[str, Within(most=LENGTHS["customer_phone"])] | None = None
    customer_consented: spelling.Boolean = ABSENT
    status: Annotated[spelling.Status | None, Field(description="A status by name or number.")] = None
    alert_level: spelling.Level | None = None
    chatbot_is_active: spelling.Boolean = ABSENT
    rating: spelling.Rating | None = None
    flags: Annotated[spelling.Flags | None, Field(description="The flags by their names or as a number.")] = None
    session_key: Annotated[
        spelling.SessionKey, Field(description="Ignored when it is masked or the chat's own, refused otherwise.")
    ] = APART

    def changes(self, *, whole: bool) -> ChatSessionChanges:
        """What a chat is to become.

        A `whole` entity says something of every field that can be written: one that is absent or null is empty, but a
        chat keeps the topic and status that it cannot be without. Otherwise only what is there is said."""
        found: dict[str, Any] = self.given()
        if whole:
            found = {name: getattr(self, name) for name, field in type(self).model_fields.items() if not field.exclude}
        found |= {name: value.kept() for name, value in found.items() if isinstance(value, _Reference)}
        if "flags" in found:
            found["user_is_typing"] = found.pop("flags")
        found |= {name: bool(found[name]) for name in _FLAGS if name in found}
        if "alert_level" in found and found["alert_level"] is None:
            found["alert_level"] = 0
        if whole:
            for field, unset in (("topic_id", (None, 0)), ("status", (None, ChatSessionStatus.INVALID))):
                if found[field] in unset:
                    del found[field]
        if self.session_key is not None:
            found["session_key"] = self.session_key
        return cast("ChatSessionChanges", found)


def _message_type(value: Any) -> ChatMessageType:
    found: ChatMessageType = _one_of(_TYPES, value, ChatMessageType.TO_CUSTOMER)
    return found


def _special_type(value: Any) -> ChatMessageSpecialType:
    found: ChatMessageSpecialType = _one_of(_SPECIAL_TYPES, value, ChatMessageSpecialType.NONE)
    return found


def _one_of(known: Mapping[str, Any], given: Any, default: Any) -> Any:
    if given is None or given == "":
        return default
    found = known.get(given.strip().lower()) if isinstance(given, str) else None
    if found is None:
        raise told(f"{{name}} is one of {', '.join(each.wire for each in known.values())}.")
    return found


def _names(known: Mapping[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"enum": [*(each.wire for each in known.values()), None]})


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


class ChatMessageInput(_Pascal, json_schema_extra={"required": ["Message"]}):
    """A message; one ToUser is the customer's, and what is not said to be for whom is for the customer."""

    type: Annotated[ChatMessageType, PlainValidator(_message_type), _names(_TYPES)] = Field(
        default=ChatMessageType.TO_CUSTOMER, json_schema_extra=_without_default
    )
    specialtype: Annotated[ChatMessageSpecialType, PlainValidator(_special_type), _names(_SPECIAL_TYPES)] = Field(
        default=ChatMessageSpecialType.NONE,
        alias="SpecialType",
        json_schema_extra=_without_default,
    )
    special_param: Ruled[Annotated[str, Within(most=LONGEST_PARAM)] | None] = None
    author: Ruled[Annotated[str, Within(most=LONGEST_PARAM)] | None] = None
    message: Ruled[Annotated[str, Within(1, LONGEST_TEXT)]] = ABSENT


class _Camel(AnyCase):
    model_config = ConfigDict(alias_generator=AliasGenerator(alias=camel))


class OfChat(_Camel):
    """Which chat is meant."""

    chat_session_id: spelling.Int


class OfEntity(_Camel):
    """Which chat a query means."""

    chat_session_entity_id: spelling.Int


class OfTopic(_Camel, json_schema_extra={"required": ["chatTopicId"]}):
    """The topic of a new chat."""

    chat_topic_id: Ruled[Annotated[int, Within(1, LARGEST_INT)]] = ABSENT


class SavedChat(_Pascal):
    """Which chat a saved entity is; 0 or nothing for a new one."""

    chat_session_id: spelling.After = 0


def _associate(value: Any) -> str:
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise told("{name} has to be the name or number of an associate.")
    return str(value)


class Transfer(_Camel, json_schema_extra={"required": ["chatSessionId", "toAssociate"]}):
    """To whom a chat is offered, by login or number."""

    to_associate: Annotated[str, PlainValidator(_associate), WithJsonSchema({"type": ["string", "integer"]})] = Field(
        default=None, validate_default=True
    )
    chat_session_id: spelling.Int


class MessagesAfter(OfChat):
    """The chat, and the number of a message; only later ones are shown."""

    after: spelling.After = 0


def _message(value: Any) -> Any:
    if not isinstance(value, dict):
        raise told("message has to be a message.")
    return value


class AddedMessage(_Camel, json_schema_extra={"required": ["chatSessionId", "message"]}):
    """A message, and the chat that it is for."""

    message: Annotated[Ruled[ChatMessageInput], BeforeValidator(_message)] = Field(default=None, validate_default=True)
    chat_session_id: spelling.Int


class Transcription(_Camel):
    """The chat whose transcript is asked for; `html` as HTML."""

    html: spelling.Boolean = False
    chat_session_id: spelling.Int
