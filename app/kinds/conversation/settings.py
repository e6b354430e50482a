"""The settings of Conversations."""

from datetime import timedelta

from pydantic import Field

from app.core.setting_types import Duration
from app.settings import KindSettings


class ConversationSettings(KindSettings):
    """The settings of Conversations only."""

    reply_window_warning: Duration = Field(
        default=timedelta(hours=1),
        description="How long before a Conversation's reply window closes a waiting customer becomes urgent.",
    )
