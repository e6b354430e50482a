"""The directory's stored rows: named queries for commands, and the mapping that selections read."""

from app.directory.repository.customers import CustomerRepository, ProfileRepository
from app.directory.repository.lookup import KeyLookup
from app.directory.repository.mapping import MAPPINGS, ROOTS
from app.directory.repository.users import ApiKeyRepository, SecretRepository, UserRepository

__all__ = (
    "MAPPINGS",
    "ROOTS",
    "ApiKeyRepository",
    "CustomerRepository",
    "KeyLookup",
    "ProfileRepository",
    "SecretRepository",
    "UserRepository",
)
