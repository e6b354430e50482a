"""What the contract answers, as its clients see it."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from app.core.numbers import LARGEST_INT
from app.kinds.chat_session.model.session import STATUS_OF_WIRE, ChatMessageSpecialType

Int = Annotated[int, Field(ge=-LARGEST_INT - 1, le=LARGEST_INT)]
Time = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6}0[+-]\d\d:\d\d)?$",
        description="A time with seven digits and the zone's offset; 0001-01-01T00:00:00 where there is none.",
    ),
]
Status = Annotated[str, Field(json_schema_extra={"enum": [*STATUS_OF_WIRE]})]
SpecialType = Annotated[str, Field(json_schema_extra={"enum": [each.wire for each in ChatMessageSpecialType]})]


class Associate(TypedDict):
    """A user."""

    AssociateId: Int | None
    Name: str | None
    PersonId: int | None
    Rank: Int | None
    Tooltip: str | None
    Type: (
        Literal[
            "Unknown",
            "InternalAssociate",
            "ResourceAssociate",
            "ExternalAssociate",
            "AnonymousAssociate",
            "SystemAssociate",
        ]
        | None
    )
    GroupIdx: Int | None
    FullName: str | None
    FormalName: str | None
    Deleted: bool | None
    EjUserId: Int | None
    UserName: str | None


class Person(TypedDict):
    """A person, as far as it is known here."""

    PersonId: Int | None
    Firstname: str | None
    Lastname: str | None
    FullName: str | None
    Email: str | None
    ContactId: Int | None


class Contact(TypedDict):
    """A contact, as far as it is known here."""

    ContactId: Int | None
    Name: str | None


class Project(TypedDict):
    """A project, as far as it is known here."""

    ProjectId: Int | None
    Name: str | None


class Sale(TypedDict):
    """A sale, as far as it is known here."""

    SaleId: Int | None
    Title: str | None
    Amount: float | None
    Currency: str | None


class Ticket(TypedDict):
    """A ticket, as far as it is known here."""

    TicketId: Int | None
    Title: str | None
    BaseStatus: str | None


class TableRight(TypedDict):
    """What the caller may do with the chat."""

    Mask: str | None
    Reason: str | None


class FieldProperty(TypedDict):
    """What the caller may do with a field."""

    FieldRight: Literal["Read", "Update"] | None
    FieldType: str | None
    FieldLength: Int | None


class EntityLinks(TypedDict):
    """Addresses of the chat and of the list."""

    Self: str | None
    Archive: str | None


class ChatSessionEntity(TypedDict):
    """A chat. Every field is null that `$select` does not name."""

    ChatSessionId: Int | None
    TopicId: Int | None
    User: Associate | None
    Person: Person | None
    CustomerAlias: str | None
    CustomerHost: str | None
    CustomerName: str | None
    CustomerEmail: str | None
    CustomerPhone: str | None
    CustomerConsented: bool | None
    CustomerCompanyName: str | None
    Status: Status | None
    FirstMessage: str | None
    LastMessage: str | None
    WhenRequested: Time | None
    WhenStarted: Time | None
    WhenEnded: Time | None
    WhenIdle: Time | None
    WhenFetched: Time | None
    SessionKey: str | None
    InitialQueuePos: Int | None
    AlertLevel: Int | None
    Rank: Int | None
    Flags: Literal["CustomerIsTyping", "UserIsTyping"] | None
    Contact: Contact | None
    Project: Project | None
    Sale: Sale | None
    Ticket: Ticket | None
    TransferTo: Associate | None
    ChatbotIsActive: bool | None
    Rating: Int | None
    TableRight: TableRight | None
    FieldProperties: dict[str, FieldProperty] | None
    _Links: NotRequired[EntityLinks | None]


class ChatMessage(TypedDict):
    """A message of a chat."""

    ChatMessageId: int | None
    ChatSessionId: Int | None
    Type: Literal["Invalid", "ToCustomer", "ToUser", "Special"] | None
    Message: str | None
    Author: str | None
    ReadByCustomer: Literal[0, 1] | None
    SpecialType: SpecialType | None
    SpecialParam: str | None
    WhenPosted: Time | None


_Row = TypedDict(
    "_Row",
    {
        "chatSessionId": int | None,
        "firstMessage": str | None,
        "lastMessage": str | None,
        "whenRequested": str | None,
        "whenStarted": str | None,
        "whenEnded": str | None,
        "duration": str | None,
        "timeInQueue": str | None,
        "queueLength": int | None,
        "rating": int | None,
        "agent": str | None,
        "status": str | None,
        "associateId": int | None,
        "associate/fullName": str | None,
        "associate/personId": int | None,
        "contactId": int | None,
        "personId": int | None,
        "person/personId": int | None,
        "person/contactId": int | None,
        "person/firstName": str | None,
        "person/lastName": str | None,
        "person/fullName": str | None,
        "chatTopic/chatTopicId": int | None,
        "chatTopic/name": str | None,
        "chatTopic/description": str | None,
        "updatedDate": str | None,
        "registeredDate": str | None,
    },
    total=False,
)


class Row(_Row):
    """A chat in the list, with the columns that `$select` names."""

    PrimaryKey: Int
    EntityName: Literal["chat"]


ODataSlimResponse = TypedDict(
    "ODataSlimResponse", {"odata.metadata": str, "odata.nextLink": str | None, "value": list[Row]}
)


class PatchOperation(TypedDict):
    """An operation of RFC 6902, without move and copy; paths in any case, with or without a leading slash."""

    op: Literal["add", "replace", "remove", "test"]
    path: str
    value: NotRequired[Any]


Patch = Annotated[list[PatchOperation], Field(max_length=1_000)]


class Error(TypedDict):
    """Why a request was refused."""

    Error: Literal[True]
    ErrorType: str
    ErrorMessage: str
    Message: str
    ErrorSource: str
    ErrorCode: str
