"""Reports why the application could not start."""

import sys

from uvicorn.lifespan.on import LifespanOn, LifespanSendMessage

from app.settings import SettingsError
from app.storage.engines import ConfigurationError


class Lifespan(LifespanOn):
    """Without the traceback that Starlette makes its message of, where the operator can mend what is wrong."""

    async def send(self, message: LifespanSendMessage) -> None:
        error = sys.exc_info()[1]  # Starlette sends while it handles the error
        if message["type"] == "lifespan.startup.failed" and isinstance(error, SettingsError | ConfigurationError):
            message["message"] = str(error)
        await super().send(message)
