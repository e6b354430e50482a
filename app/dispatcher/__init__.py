"""Delivers the items of destinations' subscriptions from the event log."""

from app.dispatcher.dispatcher import Dispatcher, dispatching
from app.dispatcher.following import following
from app.dispatcher.parts import DispatchLimits

__all__ = ["DispatchLimits", "Dispatcher", "dispatching", "following"]
