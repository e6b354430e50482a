"""The contract's reads, and their wire format."""

from collections.abc import Mapping
from typing import Any

import orjson

from app.rest import leaf, one, picks, root
from app.selection.tree import Children, Field

EVENT_PREFIX = "aev_"

_SESSION = (
    *map(
        leaf,
        (
            *("agentKey", "agentSessionKey", "name", "description", "metadata", "enabled", "ttiMinutes", "status"),
            *("currentStepName", "createdByAgentKey", "createdBySessionKey", "aliasKey", "secrets", "createdAt"),
        ),
    ),
    one(
        "sessionContextUsage",
        "SessionContextUsage",
        (
            leaf("inputTokens", "input_tokens"),
            leaf("outputTokens", "output_tokens"),
            leaf("totalTokens", "total_tokens"),
            leaf("modelContextWindow", "model_context_window"),
        ),
    ),
    one(
        "effectiveCompaction",
        "CompactionConfig",
        (
            leaf("enabled"),
            leaf("thresholdPercent", "threshold_percent"),
            leaf("keepRecentInputs", "keep_recent_inputs"),
            leaf("compactionMessage", "compaction_message"),
            leaf("toolEventPolicy", "tool_event_policy"),
        ),
    ),
)
_AGENT = tuple(
    map(
        leaf,
        (
            *("agentKey", "name", "description", "toolConfigurations", "skills", "model", "firstStep", "firstStepName"),
            *("steps", "metadata", "enabled", "compaction", "createdAt", "updatedAt"),
        ),
    )
)
_CAPTION = (leaf("caption", "content"),)
_SAID: Children = {
    "TextMessageContent": (leaf("content"),),
    "ImageMessageContent": _CAPTION,
    "VideoMessageContent": _CAPTION,
    "DocumentMessageContent": _CAPTION,
    "AudioMessageContent": (),
    "LocationMessageContent": (),
    "ContactMessageContent": (),
}
_EVENT = (
    *map(leaf, ("id", "messageKey", "author", "text", "createdAt")),
    Field("contents", "contents", children=_SAID),
    one("interaction", "AgentSession", (leaf("agentKey"), leaf("agentSessionKey"))),
)

AGENT = root(one("aiAgent", "AiAgent", _AGENT, **picks("agent_key")))
AGENTS = root(
    one(
        "agentContractAgents",
        "AgentContractAgents",
        (one("agents", "AiAgent", _AGENT), leaf("pageKey")),
        **picks("filter", "enabled", "limit", "page_key"),
    )
)
SESSION = root(
    one(
        "agentSession",
        "AgentSession",
        _SESSION,
        **picks("agent_key", "agent_session_key"),
    )
)
SESSIONS = root(
    one(
        "agentContractSessions",
        "AgentContractSessions",
        (one("sessions", "AgentSession", _SESSION), leaf("pageKey")),
        **picks("agent_key", "filter", "metadata_filter", "enabled", "limit", "page_key"),
    )
)
EVENTS = root(
    one(
        "agentContractEvents",
        "AgentContractEvents",
        (one("events", "Message", _EVENT), leaf("pageKey")),
        **picks("agent_key", "agent_session_key", "include_hidden", "limit", "page_key"),
    )
)
EVENT = root(one("agentContractEvent", "Message", _EVENT, **picks("agent_key", "message_key")))
POSTED = root(one("node", "Message", _EVENT, **picks("id")))


def session(found: Mapping[str, Any]) -> dict[str, object]:
    """A session; what it does not have is left out, but for what may be null. `id` is what the pages call its key."""
    made = {
        "id": found["agentSessionKey"],
        "key": found["agentSessionKey"],
        "agent_key": found["agentKey"],
        "name": found["name"],
        "description": found["description"],
        "metadata": found["metadata"],
        "current_step_name": found["currentStepName"],
        "enabled": found["enabled"],
        "tti_minutes": found["ttiMinutes"],
        "status": found["status"].lower(),
    }
    for name, key in (
        ("session_context_usage", "sessionContextUsage"),
        ("effective_compaction", "effectiveCompaction"),
        ("created_by_agent_key", "createdByAgentKey"),
        ("created_by_session_key", "createdBySessionKey"),
        ("alias_key", "aliasKey"),
    ):
        if found[key] is not None:
            made[name] = found[key]
    return made | {"secrets": found["secrets"], "created_at": seconds(found["createdAt"])}


def agent(found: Mapping[str, Any]) -> dict[str, object]:
    """An agent. Clients insist on a model and a first step, so an agent without one shows an empty one."""
    first_step, model = _plain(found["firstStep"]), _plain(found["model"])
    name = found["firstStepName"] or first_step.get("name")
    made = {
        "key": found["agentKey"],
        "name": found["name"],
        "description": found["description"],
        "tool_configurations": found["toolConfigurations"],
        "model": found["model"] if "name" in model else {"name": "", **model},
        "first_step": found["firstStep"]
        if {"name", "instructions", "output_parser"} <= first_step.keys()
        else {"name": name or "", "instructions": [], "output_parser": {"type": "default"}, **first_step},
        "first_step_name": name,
        "steps": found["steps"],
        "skills": found["skills"],
        "metadata": found["metadata"],
        "enabled": found["enabled"],
    }
    if found["compaction"] is not None:
        made["compaction"] = found["compaction"]
    return made | {"created_at": seconds(found["createdAt"]), "updated_at": seconds(found["updatedAt"])}


def event(found: Mapping[str, Any]) -> dict[str, object]:
    """An event of a session: what the customer said, or what was answered, by the agent or by one of ours."""
    made: dict[str, object] = {
        "id": f"{EVENT_PREFIX}{found['messageKey']}",
        "session_key": found["interaction"]["agentSessionKey"],
    }
    if found["author"] == "CUSTOMER":
        said = [each["content"] for each in found["contents"] if each.get("content") is not None]
        made["type"] = "input_message"
        made["messages"] = [{"type": "text", "content": content} for content in said or [found["text"] or ""]]
    else:
        made |= {"type": "agent_output", "content": found["text"] or ""}
    return made | {"created_at": seconds(found["createdAt"])}


def seconds(moment: str) -> str:
    """A time of the graph without the digits after the second where they are all 0."""
    return f"{moment[:19]}Z" if moment.endswith(".000000Z") else moment


def _plain(fragment: Any) -> Mapping[str, Any]:
    found = orjson.loads(orjson.dumps(fragment))
    return found if isinstance(found, dict) else {}
