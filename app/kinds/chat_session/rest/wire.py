"""The contract's wire format of answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from app.core.actor import Actor
from app.core.ids import parse_id
from app.kinds.chat_session.model import rights
from app.kinds.chat_session.model.limits import REFERENCES
from app.kinds.chat_session.model.session import KIND, ChatSessionStatus
from app.kinds.chat_session.rest.reading import camel
from app.kinds.chat_session.rest.refusals import pascal

UNSET = "0001-01-01T00:00:00"
"""What the contract writes for a missing time."""

NO_FLAGS = "CustomerIsTyping"
"""The flag of value 0, which a chat shows while no flag is set."""

_USER_IS_TYPING = "UserIsTyping"
_NEW = ChatSessionStatus.IN_QUEUE
_EVERYTHING = ["SELECT", "UPDATE", "INSERT", "DELETE"]
_TEXTS = ("CustomerAlias", "CustomerHost", "CustomerName", "CustomerEmail", "CustomerPhone")


@dataclass(frozen=True, slots=True)
class Wire:
    """How one answer is written: its times in `zone`, its links below `base_url`."""

    zone: tzinfo
    base_url: str

    def time(self, moment: str | None) -> str:
        """A time of the graph with seven digits, of which the last is always 0, and the zone's offset."""
        if moment is None:
            return UNSET
        if self.zone is UTC:  # the usual one
            return f"{moment[:26]}0+00:00"
        local = datetime.fromisoformat(moment).replace(tzinfo=UTC).astimezone(self.zone)
        text = local.isoformat(timespec="microseconds")
        return f"{text[:26]}0{text[26:]}"

    def entity(self, found: Mapping[str, Any], *, links: bool = False) -> dict[str, Any]:
        """A ChatSessionEntity, with `_Links` a ChatSessionEntityWithLinks."""
        entity: dict[str, Any] = {
            "ChatSessionId": found["chatSessionId"],
            "TopicId": found["topicId"],
            "User": associate(found["user"]),
            "Person": _reference("person", found),
            **{name: found[name[0].lower() + name[1:]] for name in _TEXTS},
            "CustomerConsented": found["customerConsented"],
            "CustomerCompanyName": found["customerCompanyName"],
            "Status": ChatSessionStatus(found["status"]).wire,
            "FirstMessage": found["firstMessage"],
            "LastMessage": found["lastMessage"],
            "WhenRequested": self.time(found["whenRequested"]),
            "WhenStarted": self.time(found["whenStarted"]),
            "WhenEnded": self.time(found["whenEnded"]),
            "WhenIdle": self.time(found["whenIdle"]),
            "WhenFetched": self.time(found["whenFetched"]),
            "SessionKey": found["sessionKey"],
            "InitialQueuePos": found["initialQueuePos"],
            "AlertLevel": found["alertLevel"],
            "Rank": found["rank"],
            "Flags": _USER_IS_TYPING if found["userIsTyping"] else NO_FLAGS,
            "Contact": _reference("contact", found),
            "Project": _reference("project", found),
            "Sale": _reference("sale", found),
            "Ticket": _reference("ticket", found),
            "TransferTo": associate(found["transferTo"]),
            "ChatbotIsActive": found["chatbotIsActive"],
            "Rating": found["rating"] or 0,
            "TableRight": table_right(found["tableRight"]),
            "FieldProperties": field_properties(found["fieldProperties"]),
        }
        if links:
            archive = f"{self.base_url}/api/v1/ChatSession"
            entity["_Links"] = {"Self": f"{archive}/{found['chatSessionId']}", "Archive": archive}
        return entity

    def message(self, found: Mapping[str, Any], number: int) -> dict[str, Any]:
        """A ChatMessage of the chat with the contract's number."""
        return {
            "ChatMessageId": found["messageId"],
            "ChatSessionId": number,
            "Type": pascal((found["messageType"] or "INVALID").lower()),
            "Message": found["text"] or "",
            "Author": author(found),
            "ReadByCustomer": int(bool(found["readByCustomer"])),
            "SpecialType": pascal((found["specialType"] or "NONE").lower()),
            "SpecialParam": found["specialParam"],
            "WhenPosted": self.time(found["sentAt"]),
        }


def author(message: Mapping[str, Any]) -> str | None:
    """Who wrote a message, by name."""
    if message["authorName"] is not None or message["user"] is None:
        name: str | None = message["authorName"]
        return name
    return str(message["user"]["name"])


def blank(actor: Actor) -> dict[str, Any]:
    """The entity that there is not yet, with what the actor may do with such a one."""
    may_write = actor.writes_some(KIND)
    table = table_right(rights.table_right(_NEW, may_write=may_write))
    fields = rights.field_properties(_NEW, may_write=may_write)
    texts = dict.fromkeys(_TEXTS)
    return {
        "ChatSessionId": 0,
        "TopicId": 0,
        "User": None,
        "Person": None,
        **texts,
        "CustomerConsented": False,
        "CustomerCompanyName": None,
        "Status": ChatSessionStatus.INVALID.wire,
        "FirstMessage": None,
        "LastMessage": None,
        **dict.fromkeys(("WhenRequested", "WhenStarted", "WhenEnded", "WhenIdle", "WhenFetched"), UNSET),
        "SessionKey": None,
        **dict.fromkeys(("InitialQueuePos", "AlertLevel", "Rank"), 0),
        "Flags": NO_FLAGS,
        **dict.fromkeys(("Contact", "Project", "Sale", "Ticket", "TransferTo")),
        "ChatbotIsActive": False,
        "Rating": 0,
        "TableRight": table,
        "FieldProperties": field_properties(fields),
    }


def associate(user: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """An Associate: a user as the contract knows one."""
    if user is None:
        return None
    number = number_of(user["id"])
    full_name = user["fullName"] or user["name"]
    return {
        "AssociateId": number,
        "Name": user["login"],
        "PersonId": user["personId"] or 0,
        "Rank": 0,
        "Tooltip": user["name"],
        "Type": pascal(user["type"].lower()),
        "GroupIdx": 0,
        "FullName": full_name,
        "FormalName": full_name,
        "Deleted": not user["active"],
        "EjUserId": number,
        "UserName": user["login"],
    }


def number_of(global_id: str) -> int:
    """The number in a global id."""
    ref = parse_id(global_id)
    return 0 if ref is None else ref.number


def table_right(found: Mapping[str, Any]) -> dict[str, Any]:
    """A TableRight; the contract has one name for all of its flags together."""
    mask = list(found["mask"])
    names = "FULL" if mask == _EVERYTHING else ", ".join(pascal(name.lower()) for name in mask)
    return {"Mask": names, "Reason": found["reason"] or ""}


def field_properties(found: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The rights on each field by its name."""
    return {
        each["name"][0].upper() + each["name"][1:]: {
            "FieldRight": pascal(each["right"].lower()),
            "FieldType": each["type"],
            "FieldLength": each["length"] or 0,
        }
        for each in found
    }


def _reference(name: str, found: Mapping[str, Any]) -> dict[str, Any] | None:
    held = found[name]
    return None if held is None else {pascal(item): held[camel(item)] for item in REFERENCES[name]}
