"""Every kind's rules, as the demo needs them all."""

from collections.abc import Mapping
from typing import Any

import pytest

from app.kinds.agent_session.service import Rules as AgentSessionRules
from app.kinds.chat_session.service.rules import Rules as ChatSessionRules
from app.kinds.conversation.service.rules import Rules as ConversationRules
from app.kinds.session.service import Rules as SessionRules


@pytest.fixture
def kinds() -> Mapping[str, Any]:
    rules: tuple[Any, ...] = (SessionRules(), AgentSessionRules(), ChatSessionRules(), ConversationRules())
    return {each.name: each for each in rules}
