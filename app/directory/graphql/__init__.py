"""Users with their keys and teams, customers and profiles in the graph."""

from app.directory.graphql.customer_types import Customer, Profile
from app.directory.graphql.customers import CustomerMutation, ProfileMutation
from app.directory.graphql.query import PRESENT, SEARCH_USERS, DirectoryQuery
from app.directory.graphql.subscriptions import UserSubscription
from app.directory.graphql.teams import TeamMutation, TeamQuery
from app.directory.graphql.types import ApiKey, Presence, Team, User, Viewer
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
    "Team",
    "User",
    "Viewer",
)


class _Query(DirectoryQuery, TeamQuery):
    pass


class _Mutation(CustomerMutation, ProfileMutation, UserMutation, TeamMutation):
    pass


DIRECTORY = Slice(
    query=_Query,
    mutation=_Mutation,
    subscription=UserSubscription,
    mappings=(*MAPPINGS, PRESENCE),
    roots=ROOTS,
    streams=STREAMS,
)
"""What the directory adds to the graph."""
