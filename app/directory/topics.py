"""What can happen in the directory, with what the graph says of it."""

from collections.abc import Mapping
from types import MappingProxyType

TOPICS: Mapping[str, str] = MappingProxyType(
    {
        "api_key.created": "An API key was created.",
        "api_key.revoked": "An API key was revoked.",
        "customer.created": "A customer was created.",
        "customer.deleted": "A customer was deleted.",
        "customer.linked": "A customer was linked to a profile.",
        "customer.subscribed": "A customer subscribed again.",
        "customer.unlinked": "A customer was unlinked from a profile.",
        "customer.unsubscribed": "A customer unsubscribed.",
        "customer.updated": "A customer's fields were changed.",
        "profile.blocked": "A profile was blocked.",
        "profile.created": "A profile was created.",
        "profile.deleted": "A profile was deleted.",
        "profile.unblocked": "A profile was unblocked.",
        "profile.updated": "A profile's fields were changed.",
        "user.activated": "A user was activated.",
        "user.created": "A user was created.",
        "user.deactivated": "A user was deactivated.",
        "user.presence_changed": "A user became present or absent.",
        "user.updated": "A user's fields were changed.",
    }
)
"""The topics of users, their keys, customers and profiles."""
