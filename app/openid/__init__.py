"""Access tokens of OpenID Connect providers: keys, verification and claims."""

from app.openid.documents import Unusable
from app.openid.fetching import fetching, tokens_of
from app.openid.person import LONGEST_SUBJECT, Person
from app.openid.provider import Fetch, NotFetched, keys_of
from app.openid.tokens import Tokens, is_token

__all__ = [
    "LONGEST_SUBJECT",
    "Fetch",
    "NotFetched",
    "Person",
    "Tokens",
    "Unusable",
    "fetching",
    "is_token",
    "keys_of",
    "tokens_of",
]
