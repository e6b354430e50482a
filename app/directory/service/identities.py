"""Commands on identities: people at identity providers become users."""

from app.core.actor import SYSTEM, Actor
from app.core.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from app.core.text import is_storable
from app.directory.events import IdentityLinked, IdentityUnlinked, UserCreated, UserSignedIn
from app.directory.model import User
from app.directory.model.identity import PREFIX as IDENTITY
from app.directory.model.identity import Identity, logins_of
from app.directory.model.user import MANAGE
from app.directory.repository import IdentityRepository, UserRepository
from app.directory.service.bootstrap import user_by_login
from app.directory.service.editing import Ref, found, number, tell
from app.openid import LONGEST_SUBJECT, Person
from app.storage.work import Work


def sign_in(work: Work, person: Person) -> User:
    """The user of the person: the linked one, the one with the verified e-mail address, or a new one.

    An e-mail address links only once for each issuer: if the user already has an identity of the issuer, the address
    belonged to somebody else. Raises Unauthenticated when none of that is possible, or allowed by the issuer's
    setting."""
    identities, users = work.use(IdentityRepository), work.use(UserRepository)
    known = identities.get_by_subject(person.issuer.issuer, person.subject)
    if known is not None:
        user = users.get(known.user_id)
        assert user is not None  # an identity is deleted with its user
        return user
    user = _with_address(work, person) or _made(work, person)
    linked = _link(work, SYSTEM, user, person.issuer.issuer, person.subject)
    identities.save(linked, linked.signed_in(person, work.now))
    _tell_of_sign_in(work, linked)
    return user


def note_sign_in(work: Work, identity_id: int, person: Person) -> None:
    """Record that the person has signed in, and its groups, unless a newer token was recorded meanwhile."""
    identities = work.use(IdentityRepository)
    known = identities.get(identity_id, for_update=True)
    if known is not None and known.is_older_than(person):
        identities.save(known, known.signed_in(person, work.now))
        _tell_of_sign_in(work, known)


def _tell_of_sign_in(work: Work, of: Identity) -> None:
    happened = UserSignedIn(user_id=of.user_id, identity_id=of.id, issuer=of.issuer)
    work.record(happened.record(assignee_id=of.user_id, actor_id=of.user_id))


def link_identity(work: Work, login: str, issuer: str, subject: str) -> Identity:
    """Link a person to the user with this login, for anyone who has access to the database.

    Raises NotFound, InvalidInput for an issuer that the settings do not name, and AlreadyExists for a linked person."""
    user = user_by_login(work, login)
    if issuer not in {each.issuer for each in work.settings.issuers}:
        raise InvalidInput(f"SWITCHBOARD_ISSUERS has no issuer {issuer}.", path=("issuer",))
    if not 0 < len(subject) <= LONGEST_SUBJECT or not is_storable(subject):
        raise InvalidInput(f"A subject has 1 to {LONGEST_SUBJECT} characters.", path=("subject",))
    return _link(work, SYSTEM, user, issuer, subject)


def unlink_identity(work: Work, login: str, issuer: str, subject: str) -> Identity:
    """Remove the link of a person to the user with this login. Raises NotFound."""
    user = user_by_login(work, login)
    identities = work.use(IdentityRepository)
    known = identities.get_by_subject(issuer, subject)
    if known is None or known.user_id != user.id:
        raise NotFound(f"{login} is not linked to that person.")
    return _unlink(work, SYSTEM, known, user)


def remove_identity(work: Work, actor: Actor, ref: Ref) -> User:
    """Remove the link of a person to a user. Returns the user. Needs `users:manage`, and an admin for an admin's
    identity.

    Raises Forbidden and NotFound."""
    actor.require(MANAGE)
    identities, users = work.use(IdentityRepository), work.use(UserRepository)
    known = found(identities.get(number(ref, IDENTITY), for_update=True), ref)
    user = found(users.get(known.user_id), ref)
    if user.is_admin and not actor.is_admin:
        raise Forbidden("Only an admin may change an admin.", path=("id",))
    _unlink(work, actor, known, user)
    return user


def _unlink(work: Work, actor: Actor, known: Identity, user: User) -> Identity:
    work.use(IdentityRepository).remove(known.id)
    tell(work, actor, IdentityUnlinked(user_id=user.id, identity_id=known.id, issuer=known.issuer), user)
    return known


def _link(work: Work, actor: Actor, user: User, issuer: str, subject: str) -> Identity:
    new = Identity(id=0, user_id=user.id, issuer=issuer, subject=subject, created_at=work.now)
    identity = work.use(IdentityRepository).add(new)
    tell(work, actor, IdentityLinked(user_id=user.id, identity_id=identity.id, issuer=issuer), user)
    return identity


def _with_address(work: Work, person: Person) -> User | None:
    """The only person's user with the verified address of the token. Raises Unauthenticated when it must not be
    used."""
    if person.email is None or not person.issuer.link_by_email:
        return None
    having = [user for user in work.use(UserRepository).list_by_email(person.email) if not user.is_service]
    if not having:
        return None
    if len(having) > 1:
        raise Unauthenticated("Several users have this token's e-mail address, so it identifies none of them.")
    (user,) = having
    if any(each.issuer == person.issuer.issuer for each in work.use(IdentityRepository).list_of(user.id)):
        raise Unauthenticated(
            "The user with this token's e-mail address is linked to another person of the same issuer."
        )
    return user


def _made(work: Work, person: Person) -> User:
    if not person.issuer.create_users:
        raise Unauthenticated("No user is linked to the person of this token.")
    users = work.use(UserRepository)
    free = (login for login in logins_of(person) if users.get_by_login(login) is None)
    login = next(free, f"person-{work.ids.uuid()}")
    new = User(
        id=0,
        name=person.name or login,
        login=login,
        email=person.email,
        created_at=work.now,
        updated_at=work.now,
    )
    user = users.add(new)
    tell(work, SYSTEM, UserCreated(user_id=user.id), user)
    return user
