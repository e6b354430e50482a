"""Every kind's rules, as the demo needs them all, and the time that loading it may take on a busy machine."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from app.kinds.agent_session.service import Rules as AgentSessionRules
from app.kinds.chat_session.service.rules import Rules as ChatSessionRules
from app.kinds.conversation.service.rules import Rules as ConversationRules
from app.kinds.session.service import Rules as SessionRules
from app.settings import Settings

PATIENT = Settings(command_timeout=timedelta(minutes=10))
"""As the commands that load the demo have it."""


@pytest.fixture
def kinds() -> Mapping[str, Any]:
    rules: tuple[Any, ...] = (SessionRules(), AgentSessionRules(), ChatSessionRules(), ConversationRules())
    return {each.name: each for each in rules}


@pytest.fixture
def settings() -> Settings:
    return PATIENT
