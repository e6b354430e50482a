"""The directory's stored rows: named queries for commands, and the mapping that selections read."""

from app.directory.repository.customers import CustomerRepository, ProfileRepository
from app.directory.repository.users import ApiKeyRepository, SecretRepository, UserRepository

__all__ = ("ApiKeyRepository", "CustomerRepository", "ProfileRepository", "SecretRepository", "UserRepository")
