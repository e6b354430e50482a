"""Registers our webhook at SuperOffice, and keeps it working."""

from collections.abc import Mapping
from typing import Any

from app.interactions.remote import Hook, Reach, Unanswered
from app.kinds.chat_session.upstream.superoffice.capabilities import is_able
from app.kinds.chat_session.upstream.superoffice.deliveries import EVENTS

_HOOKS = "/v1/Webhook"
_ACTIVE = "Active"


async def tend_hook(reach: Reach, hook: Hook, *, first: bool) -> bool:
    """Register the webhook, or correct what is wrong with it. Returns whether deliveries may have been lost until now.

    The first time, its secret is set again, because it cannot be read. A webhook with another address is left alone:
    SuperOffice stops it by itself. Raises Unanswered and Refused."""
    if not is_able(reach.settings, "WEBHOOKS"):
        return False
    answered = await reach.ask(_HOOKS)
    if answered.status == 404:
        return False  # a system without webhooks, such as another Switchboard
    if not isinstance(answered.value, list):
        raise Unanswered("The other system answered a list that is not understood.", arrived=True)
    wanted: dict[str, object] = {
        "TargetUrl": hook.url,
        "Events": [*EVENTS],
        "State": _ACTIVE,
        "Type": "webhook",
    }
    own = [each for each in answered.value if isinstance(each, dict) and each.get("TargetUrl") == hook.url]
    if not own:
        await reach.tell("POST", _HOOKS, {"Name": hook.name, "Secret": hook.secret, **wanted})
        return True
    found: Mapping[str, Any] = own[0]
    wrong = {name: value for name, value in wanted.items() if not _is_same(found.get(name), value)}
    if first:
        wrong["Secret"] = hook.secret
    if wrong:
        patch = [{"op": "replace", "path": name, "value": value} for name, value in wrong.items()]
        await reach.tell("PATCH", f"{_HOOKS}/{found.get('WebhookId')}", patch)
    return found.get("State") != _ACTIVE


def _is_same(held: object, wanted: object) -> bool:
    if isinstance(held, list) and isinstance(wanted, list):
        return {str(each).lower() for each in held} == set(wanted)
    return held == wanted
