"""What the directory knows: users and their keys, customers, and the people behind them."""

from app.directory.model.checks import checked
from app.directory.model.customer import Channel, Customer, CustomerSystem
from app.directory.model.key import ApiKey, digest_of, new_token, prefix_of
from app.directory.model.profile import Gender, Profile, Salutation
from app.directory.model.user import ADMIN, User, UserType

__all__ = (
    "ADMIN",
    "ApiKey",
    "Channel",
    "Customer",
    "CustomerSystem",
    "Gender",
    "Profile",
    "Salutation",
    "User",
    "UserType",
    "checked",
    "digest_of",
    "new_token",
    "prefix_of",
)
