"""An input of every mutation that fits what `filled` holds: for tests that treat all commands alike."""

from collections.abc import Mapping
from typing import Any

from tests.graph.exchanges import text

ON_INTERACTION: Mapping[str, Mapping[str, Any]] = {
    "claimInteraction": {},
    "releaseInteraction": {},
    "assignInteraction": {"userId": "usr_2"},
    "assignTeam": {"teamId": "tea_1"},
    "closeInteraction": {},
    "reopenInteraction": {},
    "snoozeInteraction": {"until": "2027-01-01T00:00:00Z"},
    "unsnoozeInteraction": {},
    "setLabels": {"labels": ["a"]},
    "addLabels": {"labels": ["a"]},
    "removeLabels": {"labels": ["a"]},
    "raiseAttention": {"level": "LOW"},
    "clearAttention": {},
    "acknowledgeAttention": {},
    "markRead": {},
    "sendTyping": {},
    "addNote": {"text": "x"},
    "sendMessage": {"content": text("x")},
    "resumeBot": {},
}
"""The commands that every kind has; each takes the interaction's `id` besides."""

ON_MESSAGE: Mapping[str, Mapping[str, Any]] = {
    "setReaction": {"reaction": "\U0001f600"},
    "reportMessageStatus": {"status": "READ"},
    "deleteMessage": {},
}

ON_NOTE: Mapping[str, Mapping[str, Any]] = {"editNote": {"text": "y"}, "deleteNote": {}}

OF_KIND: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "session": {"updateSession": {"id": "ses_2", "tags": ["a"]}, "useSuggestedMessage": {"id": "sug_1"}},
    "agent_session": {
        "createAiAgent": {"name": "x"},
        "updateAiAgent": {"id": "aia_1", "name": "x"},
        "deleteAiAgent": {"id": "aia_2"},
        "createAgentSession": {"agentKey": "agt_other"},
        "updateAgentSession": {"id": "ags_11", "name": "x"},
        "deleteAgentSession": {"id": "ags_11"},
    },
    "chat_session": {
        "createChatTopic": {"name": "x"},
        "updateChatTopic": {"id": "top_1", "name": "x"},
        "deleteChatTopic": {"id": "top_1"},
        "addChatTopicMember": {"chatTopicId": "top_1", "userId": "usr_2"},
        "updateChatTopicMember": {"id": "tpm_1", "canListen": True},
        "removeChatTopicMember": {"id": "tpm_1"},
        "requestChatSession": {"topicId": 1},
        "updateChatSession": {"id": "chs_15", "alertLevel": 1},
        "pickUpChatSession": {"id": "chs_15"},
        "transferChatSession": {"id": "chs_14", "userId": "usr_4"},
        "cancelChatTransfer": {"id": "chs_14"},
        "acceptChatTransfer": {"id": "chs_14"},
        "rejectChatTransfer": {"id": "chs_14"},
        "resetChatSession": {"id": "chs_14"},
        "rateChatSession": {"id": "chs_18", "rating": 1},
        "markFetched": {"id": "chs_15"},
        "deleteChatSession": {"id": "chs_15"},
    },
    "conversation": {
        "updateConversation": {"id": "cnv_6", "status": "DONE"},
        "restartConversation": {"id": "cnv_5", "override": True},
        "deleteConversation": {"id": "cnv_6"},
        "createChannelAgent": {"channel": "WIDGET", "displayId": "x", "name": "x"},
        "updateChannelAgent": {"id": "cha_1", "name": "x"},
    },
}
"""Each kind's own commands."""

DIRECTORY: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "createCustomer": ("directory:write", {"system": "SESSION"}),
    "updateCustomer": ("directory:write", {"id": "cus_1", "name": "x"}),
    "deleteCustomer": ("directory:write", {"id": "cus_1"}),
    "subscribeCustomer": ("directory:write", {"id": "cus_10"}),
    "unsubscribeCustomer": ("directory:write", {"id": "cus_1"}),
    "linkCustomer": ("directory:write", {"id": "cus_1", "profileId": "prf_3"}),
    "unlinkCustomer": ("directory:write", {"id": "cus_1"}),
    "createProfile": ("directory:write", {"name": "x"}),
    "updateProfile": ("directory:write", {"id": "prf_1", "name": "x"}),
    "deleteProfile": ("directory:write", {"id": "prf_1"}),
    "blockProfile": ("directory:write", {"id": "prf_1"}),
    "unblockProfile": ("directory:write", {"id": "prf_1"}),
    "createUser": ("users:manage", {"name": "x", "login": "x"}),
    "updateUser": ("users:manage", {"id": "usr_2", "name": "x"}),
    "activateUser": ("users:manage", {"id": "usr_7"}),
    "deactivateUser": ("users:manage", {"id": "usr_2"}),
    "createApiKey": ("users:manage", {"name": "x", "userId": "usr_3"}),
    "unlinkIdentity": ("users:manage", {"id": "idn_2"}),
    "endSessions": ("users:manage", {"userId": "usr_3"}),
}
"""The commands of the directory with the permission that each needs."""

TEAMS: Mapping[str, Mapping[str, Any]] = {
    "createTeam": {"name": "New", "memberIds": ["usr_2"], "labels": ["new"]},
    "updateTeam": {"id": "tea_3", "name": "Third", "memberIds": ["usr_4"], "accountIds": ["top_2"]},
    "deleteTeam": {"id": "tea_3"},
}
"""The commands on teams, which need `teams:manage`."""

CONNECTIONS: Mapping[str, Mapping[str, Any]] = {
    "createConnection": {"system": "HTTP", "name": "x"},
    "updateConnection": {"id": "con_1", "name": "y"},
    "testConnection": {"id": "con_1"},
    "pauseConnection": {"id": "con_1"},
    "resumeConnection": {"id": "con_1"},
    "rotateConnectionSecret": {"id": "con_1"},
    "replayParked": {"id": "con_1", "deliveryIds": ["dlv_1"]},
    "dropParked": {"id": "con_1"},
    "retryReads": {"id": "con_1", "readIds": ["frd_3"]},
    "deleteConnection": {"id": "con_2"},
}
"""The commands on connections, which need `connections:manage`."""

OUTBOX: Mapping[str, Mapping[str, Any]] = {"retryOutboxEntry": {"id": "obx_1"}, "dropOutboxEntry": {"id": "obx_2"}}
"""The commands on entries of an outbox, which need what writing to their interaction needs."""

DESTINATIONS: Mapping[str, Mapping[str, Any]] = {
    "createDestination": {"name": "x", "address": "https://example.com", "document": "{ viewer { permissions } }"},
    "updateDestination": {"id": "dst_1", "name": "x"},
    "pauseDestination": {"id": "dst_1"},
    "resumeDestination": {"id": "dst_1"},
    "replayDestination": {"id": "dst_1", "time": "2026-01-01T00:00:00Z"},
    "rotateDestinationSecret": {"id": "dst_1"},
    "testDestination": {"id": "dst_1"},
    "deleteDestination": {"id": "dst_1"},
    "createPolicy": {"name": "x", "destinationIds": ["dst_1"]},
    "updatePolicy": {"id": "pol_1", "name": "x"},
    "deletePolicy": {"id": "pol_1"},
}
"""The commands of destinations and policies, which need one permission."""

ONES_OWN: Mapping[str, Mapping[str, Any]] = {
    "setPresence": {"present": True},
    "createStreamTicket": {},
    "revokeApiKey": {"id": "key_1"},
}
"""What anybody may do to themselves, and who manages users to anybody."""

RECEIVING: Mapping[str, Mapping[str, Any]] = {
    "session": {"customerId": "cus_1"},
    "agent_session": {"customerId": "cus_2", "agentKey": "agt_other"},
    "chat_session": {"customerId": "cus_3", "chatTopicId": "top_1"},
    "conversation": {"customerId": "cus_7", "channelAgentId": "cha_2"},
}
"""What a customer's message names to find its interaction, by kind."""


def received(kind: str) -> dict[str, Any]:
    """The input of a customer's message of a kind."""
    return {"target": {"customer": {"kind": kind.upper(), **RECEIVING[kind]}}, "contents": [text("x")]}
