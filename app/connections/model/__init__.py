"""A connection: one account of another system, and its state."""

from app.connections.model.secrets import checked_secret, new_token
from app.connections.model.standing import ConnectionAction, ConnectionErrorCode, ConnectionState, Fault, Standing
from app.connections.model.system import (
    HOOKS,
    MANAGE,
    PREFIX,
    ConnectedSystem,
    NewConnection,
    hook_path,
    mirrored_key,
    parsed_key,
)

__all__ = (
    "HOOKS",
    "MANAGE",
    "PREFIX",
    "ConnectedSystem",
    "ConnectionAction",
    "ConnectionErrorCode",
    "ConnectionState",
    "Fault",
    "NewConnection",
    "Standing",
    "checked_secret",
    "hook_path",
    "mirrored_key",
    "new_token",
    "parsed_key",
)
