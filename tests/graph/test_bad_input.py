"""What cannot be done is refused with a code and the path of what is at fault, and nothing is changed."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.graph.exchanges import CONTENTS, text
from tests.graph.filled import Filled
from tests.graph.running import SCHEMA
from tests.graph.state import picture_of, unchanged

pytestmark = pytest.mark.anyio

Case = tuple[str, Mapping[str, Any], str, Sequence[str]]

LONG = "x" * 70_000
OVER, FLAGGED, _, QUIET = (f"ses_{number}" for number in range(1, 5))
WHATSAPP, WIDGET, CLOSED, SNOOZED, BLOCKED = (f"cnv_{number}" for number in range(5, 10))
ESCALATED, CALM, DISABLED, OPENED = (f"ags_{number}" for number in range(10, 14))
ONGOING, WAITING, ALERTED, WITH_BOT, RATED, DELETED = (f"chs_{number}" for number in range(14, 20))


def content(said: str) -> dict[str, Any]:
    return {"content": text(said)}


IDS: Sequence[Case] = [
    (name, {"id": given, **more}, "NOT_FOUND", ["input", "id"])
    for name, more in (
        ("claimInteraction", {}),
        ("closeInteraction", {}),
        ("sendMessage", content("x")),
        ("setLabels", {"labels": ["a"]}),
        ("addNote", {"text": "x"}),
    )
    for given in ("ses_999", "cnv_1", "", "nonsense", "cus_1", "ses_00", "ses_9223372036854775808", f"ses_{'9' * 100}")
] + [
    (name, {"id": given, **more}, code, ["input", "id"])
    for name, prefix, more in (
        ("updateCustomer", "cus", {"name": "x"}),
        ("updateProfile", "prf", {"name": "x"}),
        ("updateUser", "usr", {"name": "x"}),
        ("revokeApiKey", "key", {}),
        ("editNote", "not", {"text": "x"}),
        ("deleteNote", "not", {}),
        ("setReaction", "msg", {"reaction": None}),
        ("deleteMessage", "msg", {}),
        ("updateConversation", "cnv", {"status": "DONE"}),
        ("restartConversation", "cnv", {}),
        ("deleteConversation", "cnv", {}),
        ("updateChannelAgent", "cha", {"name": "x"}),
        ("updateSession", "ses", {"needAttention": True}),
        ("useSuggestedMessage", "sug", {}),
        ("updateAgentSession", "ags", {"name": "x"}),
        ("updateAiAgent", "aia", {"name": "x"}),
        ("updateChatSession", "chs", {"alertLevel": 1}),
        ("resetChatSession", "chs", {}),
        ("updateChatTopic", "top", {"name": "x"}),
        ("updateChatTopicMember", "tpm", {"canRespond": True}),
    )
    for given, code in ((f"{prefix}_999", "NOT_FOUND"), ("nonsense", "NOT_FOUND"), ("xyz_1", "INVALID_INPUT"))
]

TRANSITIONS: Sequence[Case] = [
    ("pickUpChatSession", {"id": RATED}, "INVALID_TRANSITION", []),
    ("pickUpChatSession", {"id": DELETED}, "INVALID_TRANSITION", []),
    ("pickUpChatSession", {"id": WITH_BOT}, "INVALID_TRANSITION", []),
    ("pickUpChatSession", {"topicId": 999}, "NOT_FOUND", ["input", "topicId"]),
    ("claimInteraction", {"id": CLOSED}, "INVALID_TRANSITION", []),
    ("claimInteraction", {"id": WHATSAPP}, "ALREADY_CLAIMED", []),
    ("claimInteraction", {"id": WIDGET, "leaseSeconds": 0}, "INVALID_INPUT", ["input", "leaseSeconds"]),
    ("claimInteraction", {"id": WIDGET, "leaseSeconds": 86_401}, "INVALID_INPUT", ["input", "leaseSeconds"]),
    ("claimInteraction", {"id": WIDGET, "ifVersion": 77}, "VERSION_CONFLICT", ["input", "ifVersion"]),
    ("releaseInteraction", {"id": WIDGET}, "INVALID_TRANSITION", []),
    ("assignInteraction", {"id": WIDGET, "userId": "usr_999"}, "INVALID_INPUT", ["input", "userId"]),
    ("assignInteraction", {"id": WIDGET, "userId": "usr_7"}, "INVALID_INPUT", ["input", "userId"]),
    ("closeInteraction", {"id": FLAGGED}, "NOT_SUPPORTED", []),
    ("closeInteraction", {"id": CLOSED}, "INVALID_TRANSITION", []),
    ("closeInteraction", {"id": RATED}, "INVALID_TRANSITION", []),
    ("reopenInteraction", {"id": WIDGET}, "INVALID_TRANSITION", []),
    ("reopenInteraction", {"id": FLAGGED}, "NOT_SUPPORTED", []),
    ("snoozeInteraction", {"id": WIDGET, "until": "2020-01-01T00:00:00Z"}, "INVALID_INPUT", ["input", "until"]),
    ("snoozeInteraction", {"id": CLOSED, "until": "2030-01-01T00:00:00Z"}, "INVALID_TRANSITION", []),
    ("snoozeInteraction", {"id": FLAGGED, "until": "2030-01-01T00:00:00Z"}, "NOT_SUPPORTED", []),
    ("snoozeInteraction", {"id": ESCALATED, "until": "2030-01-01T00:00:00Z"}, "NOT_SUPPORTED", []),
    ("snoozeInteraction", {"id": ONGOING, "until": "2030-01-01T00:00:00Z"}, "NOT_SUPPORTED", []),
    ("unsnoozeInteraction", {"id": WIDGET}, "INVALID_TRANSITION", []),
    ("sendMessage", {"id": DISABLED, **content("x")}, "DISABLED", []),
    ("sendMessage", {"id": QUIET, **content("x")}, "UNREACHABLE", []),
    ("sendMessage", {"id": BLOCKED, **content("x")}, "UNREACHABLE", []),
    ("sendMessage", {"id": OVER, **content("x")}, "INVALID_TRANSITION", []),
    ("sendMessage", {"id": RATED, **content("x")}, "INVALID_TRANSITION", []),
    ("sendMessage", {"id": WIDGET, "referenceId": "msg_1", **content("x")}, "INVALID_INPUT", ["input", "referenceId"]),
    ("sendMessage", {"id": WIDGET, "referenceId": "usr_1", **content("x")}, "INVALID_INPUT", ["input", "referenceId"]),
    ("setReaction", {"id": "msg_1", "reaction": "\U0001f600"}, "NOT_SUPPORTED", []),
    ("reportMessageStatus", {"id": "msg_1", "status": "READ"}, "NOT_SUPPORTED", []),
    ("transferChatSession", {"id": ONGOING, "userId": "usr_2"}, "INVALID_TRANSITION", []),
    ("transferChatSession", {"id": WAITING, "userId": "usr_2"}, "INVALID_TRANSITION", []),
    ("acceptChatTransfer", {"id": ONGOING}, "FORBIDDEN", []),
    ("acceptChatTransfer", {"id": WAITING}, "CONFLICT", []),
    ("cancelChatTransfer", {"id": WAITING}, "CONFLICT", []),
    ("rejectChatTransfer", {"id": RATED}, "INVALID_TRANSITION", []),
    ("resetChatSession", {"id": RATED}, "INVALID_TRANSITION", []),
    ("rateChatSession", {"id": WAITING, "rating": 5}, "INVALID_TRANSITION", []),
    ("rateChatSession", {"id": DELETED, "rating": 5}, "INVALID_TRANSITION", []),
    ("updateChatSession", {"id": DELETED, "alertLevel": 1}, "INVALID_TRANSITION", []),
    ("deleteChatTopic", {"id": "top_1"}, "CONFLICT", ["input", "id"]),
    ("addChatTopicMember", {"chatTopicId": "top_2", "userId": "usr_4"}, "ALREADY_EXISTS", ["input", "userId"]),
    ("restartConversation", {"id": WIDGET}, "NOT_SUPPORTED", []),
    ("clearAttention", {"id": ESCALATED}, "NOT_CLEARABLE", []),
    ("clearAttention", {"id": CLOSED}, "CONFLICT", []),
    ("acknowledgeAttention", {"id": CALM}, "CONFLICT", []),
    ("deleteAiAgent", {"agentKey": "agt_customer_support"}, "CONFLICT", ["input", "id"]),
    ("createAiAgent", {"name": "x", "agentKey": "agt_other"}, "ALREADY_EXISTS", ["input", "agentKey"]),
    ("createAgentSession", {"agentKey": "agt_nobody"}, "NOT_FOUND", ["input", "agentKey"]),
    (
        "createChannelAgent",
        {"channel": "WIDGET", "displayId": "w", "name": "x"},
        "ALREADY_EXISTS",
        ["input", "displayId"],
    ),
    ("createUser", {"name": "x", "login": "BO"}, "ALREADY_EXISTS", ["input", "login"]),
    ("createCustomer", {"system": "SESSION", "customerKey": "zoe-key"}, "ALREADY_EXISTS", ["input", "customerKey"]),
    ("createCustomer", {"system": "SESSION", "phoneNumber": "+4790000001"}, "ALREADY_EXISTS", ["input", "phoneNumber"]),
    ("linkCustomer", {"id": "cus_1", "profileId": "prf_999"}, "NOT_FOUND", ["input", "profileId"]),
    ("linkCustomer", {"id": "cus_1", "profileId": "cus_1"}, "INVALID_INPUT", ["input", "profileId"]),
    ("deactivateUser", {"id": "usr_1"}, "INVALID_TRANSITION", []),
    ("setPresence", {"userId": "usr_7", "present": True}, "INVALID_TRANSITION", ["input", "userId"]),
    ("updateSession", {"customerKey": "nobody", "tags": []}, "NOT_FOUND", ["input", "customerKey"]),
    ("updateSession", {"tags": []}, "INVALID_INPUT", ["input", "id"]),
    ("updateSession", {"id": OVER, "customerKey": "zoe-key"}, "INVALID_INPUT", ["input", "id"]),
]

LIMITS: Sequence[Case] = [
    ("updateChatSession", {"id": WAITING, "customerAlias": "x" * 65}, "TOO_LONG", ["input", "customerAlias"]),
    ("updateChatSession", {"id": WAITING, "customerHost": "x" * 256}, "TOO_LONG", ["input", "customerHost"]),
    ("updateChatSession", {"id": WAITING, "customerName": "x" * 256}, "TOO_LONG", ["input", "customerName"]),
    ("updateChatSession", {"id": WAITING, "customerEmail": "x" * 256}, "TOO_LONG", ["input", "customerEmail"]),
    ("updateChatSession", {"id": WAITING, "customerPhone": "1" * 33}, "TOO_LONG", ["input", "customerPhone"]),
    ("updateChatSession", {"id": WAITING, "alertLevel": -1}, "INVALID_INPUT", ["input", "alertLevel"]),
    ("requestChatSession", {"topicId": 1, "customerAlias": "x" * 65}, "TOO_LONG", ["input", "customerAlias"]),
    ("requestChatSession", {"topicId": 999}, "NOT_FOUND", ["input", "topicId"]),
    ("createChatTopic", {"name": ""}, "INVALID_INPUT", ["input", "name"]),
    ("createChatTopic", {"name": "x", "welcomeMessage": "x" * 1025}, "TOO_LONG", ["input", "welcomeMessage"]),
    ("sendMessage", {"id": WIDGET, **content(LONG)}, "TOO_LONG", ["input", "content", "text", "content"]),
    ("sendMessage", {"id": WIDGET, **content("")}, "INVALID_INPUT", ["input", "content", "text", "content"]),
    ("addNote", {"id": WIDGET, "text": LONG}, "TOO_LONG", ["input", "text"]),
    ("addNote", {"id": WIDGET, "text": ""}, "INVALID_INPUT", ["input", "text"]),
    ("setLabels", {"id": WIDGET, "labels": ["x" * 65]}, "TOO_LONG", ["input", "labels", "0"]),
    ("addLabels", {"id": WIDGET, "labels": [f"l{n}" for n in range(65)]}, "TOO_LONG", ["input", "labels"]),
    ("setReaction", {"id": "msg_9", "reaction": "\U0001f600\U0001f600"}, "INVALID_INPUT", ["input", "reaction"]),
    ("setReaction", {"id": "msg_9", "reaction": "a"}, "INVALID_INPUT", ["input", "reaction"]),
    ("updateSession", {"id": FLAGGED, "tags": ["x" * 256]}, "TOO_LONG", ["input", "tags", "0"]),
    ("updateSession", {"id": FLAGGED, "topics": ["x"] * 101}, "TOO_LONG", ["input", "topics"]),
    (
        "updateSession",
        {"id": FLAGGED, "suggestedMessages": [{"content": "x"}, {"content": "x" * 10_001}]},
        "TOO_LONG",
        ["input", "suggestedMessages", "1", "content"],
    ),
    ("createAiAgent", {"name": "x", "agentKey": "x" * 51}, "TOO_LONG", ["input", "agentKey"]),
    ("createAiAgent", {"name": "x", "agentKey": "no spaces"}, "INVALID_INPUT", ["input", "agentKey"]),
    ("updateAgentSession", {"id": CALM, "metadata": []}, "INVALID_INPUT", ["input", "metadata"]),
    ("updateAgentSession", {"id": CALM, "metadata": "[]"}, "INVALID_INPUT", ["input", "metadata"]),
    ("updateAgentSession", {"id": CALM, "metadata": 1}, "INVALID_INPUT", ["input", "metadata"]),
    ("updateAgentSession", {"id": CALM, "ttiMinutes": -1}, "INVALID_INPUT", ["input", "ttiMinutes"]),
    ("updateAgentSession", {"id": CALM, "name": ""}, "INVALID_INPUT", ["input", "name"]),
    ("updateAgentSession", {"id": CALM, "secrets": {"no good": "x"}}, "INVALID_INPUT", ["input", "secrets"]),
    ("updateCustomer", {"id": "cus_1", "name": "x" * 256}, "TOO_LONG", ["input", "name"]),
    ("updateCustomer", {"id": "cus_1", "email": "nonsense"}, "INVALID_INPUT", ["input", "email"]),
    ("updateCustomer", {"id": "cus_1", "card": []}, "INVALID_INPUT", ["input", "card"]),
    ("updateCustomer", {"id": "cus_1", "shippingRate": -1}, "INVALID_INPUT", ["input", "shippingRate"]),
    ("createApiKey", {"name": ""}, "INVALID_INPUT", ["input", "name"]),
    ("createApiKey", {"name": "x", "expiresAt": "2020-01-01T00:00:00Z"}, "INVALID_INPUT", ["input", "expiresAt"]),
    (
        "receiveMessage",
        {"target": {"interactionId": WIDGET}, "contents": []},
        "INVALID_INPUT",
        ["input", "contents"],
    ),
    (
        "receiveMessage",
        {"target": {"interactionId": WIDGET}, "contents": [CONTENTS[0]] * 33},
        "TOO_LONG",
        ["input", "contents"],
    ),
    (
        "receiveMessage",
        {
            "target": {"interactionId": WIDGET},
            "contents": [CONTENTS[0], {"location": {"latitude": "91", "longitude": "0"}}],
        },
        "INVALID_INPUT",
        ["input", "contents", "1", "location", "latitude"],
    ),
    (
        "receiveMessage",
        {"target": {"customer": {"kind": "CONVERSATION", "customerId": "cus_7"}}, "contents": [CONTENTS[0]]},
        "INVALID_INPUT",
        ["input", "target", "customer", "channelAgentId"],
    ),
    (
        "receiveMessage",
        {"target": {"interactionId": WHATSAPP}, "contents": [CONTENTS[0]], "messageKey": "wamid-1"},
        "ALREADY_RECEIVED",
        ["input", "messageKey"],
    ),
    (
        "sendMessage",
        {"id": WIDGET, "idempotencyKey": "x" * 256, **content("x")},
        "TOO_LONG",
        ["input", "idempotencyKey"],
    ),
]


@pytest.mark.parametrize(("name", "cases"), [("ids", IDS), ("transitions", TRANSITIONS), ("limits", LIMITS)])
async def test_refused_commands_change_nothing(filled: Filled, name: str, cases: Sequence[Case]) -> None:
    before = await picture_of(filled.graph.database)
    wrong = []
    for mutation, given, code, path in cases:
        payload = await filled.graph.attempt(mutation, {**given, "clientMutationId": "echo"}, actor=filled.people.admin)
        found = [(error["code"], error["path"]) for error in payload["errors"]]
        if found != [(code, path)]:
            wrong.append((mutation, str(given)[:200], found))
        assert payload["clientMutationId"] == "echo"
    assert wrong == []
    await unchanged(filled.graph.database, before)


async def test_every_mutation_has_one_input_and_says_what_became_of_it() -> None:
    assert SCHEMA.mutation_type is not None
    for name, field in SCHEMA.mutation_type.fields.items():
        assert list(field.args) == ["input"], name
        payload: Any = field.type.of_type
        assert {"errors", "clientMutationId"} < set(payload.fields), name
