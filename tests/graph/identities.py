"""People at identity providers, as some of the users of the tests of the graph."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from app.core.issuers import Issuer
from app.core.sessions import Credential, OpenSession, Transport
from app.directory.model.refusal import Counted, Refusal, RefusalReason
from app.directory.repository import IdentityRepository
from app.directory.service import link_identity, note_sessions, note_sign_in, record_refusals
from app.openid import Person
from app.storage.database import Work
from tests.graph.running import ISSUER

_FORMER = Issuer(issuer="https://former.example.com", audiences=("switchboard",))


def store_identities(work: Work) -> None:
    """Bo has groups, one of which grants nothing, and is a person of a provider that is not in the settings any more;
    Cy has never come, nor have the two people of the admin; Mia is an admin by a group."""
    linked = [link_identity(work, login, ISSUER.issuer, f"{login}-1") for login in ("bo", "cy", "mia")]
    identities = work.use(IdentityRepository)
    former = identities.add(replace(linked[0], id=0, issuer=_FORMER.issuer, subject="bö"))
    admin = link_identity(work, "admin", ISSUER.issuer, "admin-1")
    identities.add(replace(admin, id=0, issuer=_FORMER.issuer))
    for number, person in (
        (linked[0].id, _person(work, ISSUER, ("everybody", "leads"), 300)),
        (linked[2].id, _person(work, ISSUER, ("leads", "platform"), -60)),
        (former.id, _person(work, _FORMER, ("platform",), -60)),
    ):
        note_sign_in(work, number, person)
    missing = Refusal(2, RefusalReason.FORBIDDEN, "teams:manage")
    record_refusals(work, {missing: Counted(3, 2), Refusal(2, RefusalReason.SESSIONS_ENDED): Counted(1, None)})
    note_sessions(work, "a process", dict.fromkeys(_sessions(work), 1), [])


def _sessions(work: Work) -> Iterator[tuple[OpenSession, int]]:
    """Two of Bo's and one of the admin's, by a ticket of its key."""
    at = work.now - timedelta(seconds=5)
    yield OpenSession(8, Transport.WEB_SOCKET, Credential.API_KEY, 2, "pager", "192.0.2.7", at), 2
    yield OpenSession(2**62, Transport.EVENT_STREAM, Credential.ACCESS_TOKEN, None, None, None, work.now), 2
    yield OpenSession(9, Transport.EVENT_STREAM, Credential.TICKET, 1, "ünï", "2001:db8::1", at), 1


def _person(work: Work, issuer: Issuer, groups: tuple[str, ...], seconds: float) -> Person:
    """What a token says that ends after so many seconds."""
    return Person(issuer=issuer, subject="", ends=work.now + timedelta(seconds=seconds), groups=groups)
