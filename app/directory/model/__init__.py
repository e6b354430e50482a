"""Models and rules of users, keys, teams, customers and profiles."""

from app.directory.model.customer import BY_NUMBER, Channel, Customer, CustomerChanges, NewCustomer
from app.directory.model.key import ApiKey, actor_of, digest_of, new_token, prefix_of
from app.directory.model.profile import Gender, Profile, ProfileChanges, Salutation
from app.directory.model.team import NO_TEAM, Team, TeamChanges
from app.directory.model.user import ADMIN, User, UserChanges, UserType

__all__ = (
    "ADMIN",
    "BY_NUMBER",
    "NO_TEAM",
    "ApiKey",
    "Channel",
    "Customer",
    "CustomerChanges",
    "Gender",
    "NewCustomer",
    "Profile",
    "ProfileChanges",
    "Salutation",
    "Team",
    "TeamChanges",
    "User",
    "UserChanges",
    "UserType",
    "actor_of",
    "digest_of",
    "new_token",
    "prefix_of",
)
