"""Access tokens of identity providers (OpenID Connect): providers' keys, verification, and what a token says."""

from app.openid.fetching import tokens_of
from app.openid.person import LONGEST_SUBJECT, Person
from app.openid.tokens import Tokens, is_token

__all__ = ["LONGEST_SUBJECT", "Person", "Tokens", "is_token", "tokens_of"]
