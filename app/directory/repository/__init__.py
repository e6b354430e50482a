"""The directory's stored rows: named queries for commands, and the mapping that selections read."""

from app.directory.repository.customers import CustomerRepository, ProfileRepository
from app.directory.repository.lookup import KeyLookup
from app.directory.repository.mapping import MAPPINGS, ROOTS
from app.directory.repository.peppers import BootstrapKeyRepository, PepperRepository, SecretRepository
from app.directory.repository.streams import PRESENCE, STREAMS
from app.directory.repository.users import ApiKeyRepository, UserRepository

__all__ = (
    "MAPPINGS",
    "PRESENCE",
    "ROOTS",
    "STREAMS",
    "ApiKeyRepository",
    "BootstrapKeyRepository",
    "CustomerRepository",
    "KeyLookup",
    "PepperRepository",
    "ProfileRepository",
    "SecretRepository",
    "UserRepository",
)
