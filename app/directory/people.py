"""Finds the user of an identity provider's token."""

from collections.abc import Collection
from datetime import datetime, timedelta

import structlog

from app.core.actor import Actor
from app.core.clock import Clock
from app.core.credentials import Authenticator
from app.core.errors import AlreadyExists, DomainError, Unauthenticated
from app.core.fairness import SERVER
from app.core.recent import Recent
from app.directory.model import User
from app.directory.model.identity import Identity, actor_of_person
from app.directory.model.refusal import RefusalReason, Refusals
from app.directory.repository import IdentityLookup
from app.directory.service import note_sign_in, sign_in
from app.openid import Person, Tokens, is_token
from app.storage.database import Database

log = structlog.get_logger(__name__)

NEWCOMERS = "newcomers"
"""The caller of all first sign-ins: together they have one share of the database."""

_REFUSED_FOR = timedelta(seconds=5)
_REFUSALS = 1_000
_NOTED = 1_000


class PersonAuthenticator:
    """Implements `core.credentials.Authenticator` for tokens of people, and passes everything else to `keys`.

    `permissions` are all existing permissions; an admin holds them all."""

    def __init__(
        self,
        tokens: Tokens,
        keys: Authenticator,
        database: Database,
        clock: Clock,
        permissions: Collection[str],
        refusals: Refusals | None = None,
    ) -> None:
        self._tokens = tokens
        self._keys = keys
        self._database = database
        self._clock = clock
        self._permissions = frozenset(permissions)
        self._refusals = Refusals() if refusals is None else refusals
        self._lookup = IdentityLookup(database.dialect)
        # A person who was just refused is refused again without a command.
        self._refused: Recent[tuple[datetime, str]] = Recent(_REFUSALS)
        self._noting: set[int] = set()
        # The end of the newest recorded token: a request may have read the identity before that was stored.
        self._noted: Recent[datetime] = Recent(_NOTED)

    async def actor_of(self, key: str) -> Actor | None:
        """The actor of a valid token or key; None for an invalid key.

        Raises Unauthenticated, with the reason, for an invalid token, and Unavailable while its provider does not
        answer."""
        if not is_token(key):
            return await self._keys.actor_of(key)
        person = await self._tokens.person(key)
        issuer, subject = person.issuer.issuer, person.subject
        found = await self._database.plan(lambda: self._lookup.user(issuer, subject), snapshot=False, caller=SERVER)
        user = await self._newcomer(person) if found is None else found[1]
        if not user.active:
            self._refusals.note(user.id, RefusalReason.USER_INACTIVE)
            raise Unauthenticated("The user of this token is not active.")
        if user.has_ended(person.issued_at):
            self._refusals.note(user.id, RefusalReason.SESSIONS_ENDED)
            # With a fresh token, its client comes back by itself.
            raise Unauthenticated(
                "The sessions of this token's user were ended after it was issued. Get a fresh token.", has_expired=True
            )
        if found is not None and found[0].is_older_than(person):
            await self._note(found[0], person)
        return actor_of_person(user, person, self._permissions)

    async def _note(self, identity: Identity, person: Person) -> None:
        """Record the sign-in when the token is new here. What the token allows does not depend on that."""
        noted = self._noted.get(identity.id)
        if identity.id in self._noting or (noted is not None and noted >= person.ends):
            return
        self._noting.add(identity.id)
        try:
            await self._database.command_of(identity.user_id, None, note_sign_in, identity.id, person)
            self._noted.put(identity.id, person.ends)
        except DomainError as error:
            log.warning("a sign-in could not be noted", user_id=identity.user_id, reason=error.message)
        finally:
            self._noting.discard(identity.id)

    async def _newcomer(self, person: Person) -> User:
        """The user of a person who signs in for the first time. Raises Unauthenticated."""
        who = (person.issuer.issuer, person.subject)
        refused = self._refused.get(who)
        if refused is not None and timedelta(0) <= self._clock() - refused[0] < _REFUSED_FOR:
            raise Unauthenticated(refused[1])
        try:
            try:
                return await self._database.command_of(NEWCOMERS, who, sign_in, person)
            except AlreadyExists:
                # Another process stored the sign-in a moment earlier.
                return await self._database.command_of(NEWCOMERS, who, sign_in, person)
        except Unauthenticated as error:
            self._refused.put(who, (self._clock(), error.message))
            raise
