"""Delivers to destinations what their subscriptions send, behind the event log and never ahead of it."""

from app.dispatcher.dispatcher import Dispatcher, dispatching
from app.dispatcher.following import following
from app.dispatcher.parts import DispatchLimits

__all__ = ["DispatchLimits", "Dispatcher", "dispatching", "following"]
