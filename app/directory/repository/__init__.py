"""The directory's stored rows: named queries for commands."""

from app.directory.repository.customers import CustomerRepository, ProfileRepository
from app.directory.repository.identities import IdentityLookup, IdentityRepository
from app.directory.repository.lookup import KeyLookup
from app.directory.repository.peppers import BootstrapKeyRepository, PepperRepository, SecretRepository
from app.directory.repository.sessions import SessionRepository
from app.directory.repository.teams import TeamRepository
from app.directory.repository.tickets import TicketLookup, TicketRepository
from app.directory.repository.users import ApiKeyRepository, UserRepository

__all__ = (
    "ApiKeyRepository",
    "BootstrapKeyRepository",
    "CustomerRepository",
    "IdentityLookup",
    "IdentityRepository",
    "KeyLookup",
    "PepperRepository",
    "ProfileRepository",
    "SecretRepository",
    "SessionRepository",
    "TeamRepository",
    "TicketLookup",
    "TicketRepository",
    "UserRepository",
)
