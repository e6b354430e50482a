"""The settings of Sessions."""

from pydantic import Field

from app.settings import KindSettings


class SessionSettings(KindSettings):
    """The settings of Sessions only."""

    allow_reply_without_attention: bool = Field(
        default=True, description="Whether a user may write in a Session that has not asked for attention."
    )
