"""The directory's part of the graph: users and their keys, customers and profiles."""

from app.directory.graphql.customers import CustomerMutation, ProfileMutation
from app.directory.graphql.query import PRESENT, SEARCH_USERS, DirectoryQuery
from app.directory.graphql.subscriptions import UserSubscription
from app.directory.graphql.types import ApiKey, Customer, Presence, Profile, User, Viewer
from app.directory.graphql.users import UserMutation
from app.directory.reads import MAPPINGS, PRESENCE, ROOTS, STREAMS
from app.graph.slice import Slice

__all__ = (
    "DIRECTORY",
    "PRESENT",
    "SEARCH_USERS",
    "ApiKey",
    "Customer",
    "Presence",
    "Profile",
    "User",
    "Viewer",
)


class _Mutation(CustomerMutation, ProfileMutation, UserMutation):
    pass


DIRECTORY = Slice(
    query=DirectoryQuery,
    mutation=_Mutation,
    subscription=UserSubscription,
    mappings=(*MAPPINGS, PRESENCE),
    roots=ROOTS,
    streams=STREAMS,
)
"""What the directory adds to the graph."""
