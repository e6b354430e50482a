"""Tokens of providers: which are taken, and what it costs to refuse the others."""

import asyncio
import base64
import hmac
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from app.core.errors import Unauthenticated, Unavailable
from app.openid import Tokens, is_token
from app.openid.fetching import fetching
from app.openid.provider import FRESH, OLDEST, PATIENCE, PAUSE, Provider
from tests.conftest import ManualClock
from tests.identity_provider import (
    KEYS_AT,
    METADATA_AT,
    Fault,
    IdentityProvider,
    identity_provider,
    made_key,
    signed,
)

pytestmark = pytest.mark.anyio


class Time:
    """The monotonic time by which keys grow old."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """A provider, and the tokens that are taken of it."""

    def __init__(
        self, provider: IdentityProvider, tokens: Tokens, of: Provider, clock: ManualClock, time: Time
    ) -> None:
        self.provider = provider
        self.tokens = tokens
        self.of = of
        self.clock = clock
        self.time = time

    @property
    def now(self) -> float:
        return self.clock.now.timestamp()

    def token(self, kid: str = "first", **claims: Any) -> str:
        return self.provider.token(self.now, kid, **claims)

    async def refused(self, token: str) -> str:
        """Why the token is refused."""
        assert is_token(token)
        with pytest.raises(Unauthenticated) as refused:
            await self.tokens.person(token)
        assert token not in refused.value.message
        return refused.value.message


@pytest.fixture
async def desk(clock: ManualClock, request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    """With the patience of a server, or with the seconds that a test names."""
    time = Time()
    async with identity_provider() as provider, fetching() as fetch:
        issuer = provider.issuer(
            groups={
                "leads": {"permissions": ["session:read", "session:write"], "teams": ["tea_3", "tea_12"]},
                "chat": {"permissions": ["chat_session:read"], "teams": ["tea_3", "tea_4"]},
                "owners": {"admin": True},
            }
        )
        of = Provider(issuer, fetch, time=time, patience=getattr(request, "param", PATIENCE))
        tokens = Tokens([of], clock)
        yield Desk(provider, tokens, of, clock, time)
        await tokens.close()


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"])
async def test_token_of_each_algorithm_names_a_person(desk: Desk, algorithm: str) -> None:
    desk.provider.rotate("k", algorithm)
    person = await desk.tokens.person(desk.token("k", name="Ana", groups=["leads", "chat", "others"]))
    assert (person.issuer.issuer, person.subject, person.name) == (desk.provider.url, "ana", "Ana")
    assert person.permissions == {"session:read", "session:write", "chat_session:read"}
    assert person.teams == {3, 4, 12}
    assert not person.is_admin
    assert person.email is None


async def test_token_that_was_verified_is_known_by_its_digest(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    verified = 0
    check = desk.tokens._verify

    async def counted(token: str) -> Any:
        nonlocal verified
        verified += 1
        return await check(token)

    monkeypatch.setattr(desk.tokens, "_verify", counted)
    tokens = [desk.token(), desk.token(sub="bo")]
    for _ in range(5):
        assert [(await desk.tokens.person(token)).subject for token in tokens] == ["ana", "bo"]
    assert (verified, len(desk.tokens), desk.provider.asked) == (2, 2, {METADATA_AT: 1, KEYS_AT: 1})


async def test_token_expires_and_begins_with_thirty_seconds_of_leeway(desk: Desk) -> None:
    token = desk.token(exp=int(desk.now) + 10, nbf=int(desk.now) + 30)
    assert (await desk.tokens.person(token)).subject == "ana"
    desk.clock.advance(39)
    assert (await desk.tokens.person(token)).subject == "ana"
    desk.clock.advance(1)
    assert await desk.refused(token) == "This token has expired."
    assert await desk.refused(desk.token(exp=int(desk.now) - 30)) == "This token has expired."
    assert await desk.refused(desk.token(nbf=int(desk.now) + 31)) == "This token is not valid yet."


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"aud": "others"}, "This token is for another audience."),
        ({"aud": ["others", "more"]}, "This token is for another audience."),
        ({"aud": None}, "This token is for another audience."),
        ({"aud": {"switchboard": True}}, "This token is for another audience."),
        ({"aud": [["switchboard"], 5]}, "This token is for another audience."),
        ({"iss": "https://other.example.com"}, "The issuer of this token is not accepted here."),
        ({"iss": ["x"]}, "The issuer of this token is not accepted here."),
        ({"iss": None}, "The issuer of this token is not accepted here."),
        ({"exp": None}, "The claim exp of this token is not a time in seconds."),
        ({"exp": "2099-01-01"}, "The claim exp of this token is not a time in seconds."),
        ({"exp": True}, "The claim exp of this token is not a time in seconds."),
        ({"exp": 1e300}, "The claim exp of this token is not a time in seconds."),
        ({"exp": -1}, "The claim exp of this token is not a time in seconds."),
        ({"nbf": "soon"}, "The claim nbf of this token is not a time in seconds."),
        ({"sub": None}, "This token names nobody: sub has to be a text of 1 to 255 characters."),
        ({"sub": ""}, "This token names nobody: sub has to be a text of 1 to 255 characters."),
        ({"sub": 7}, "This token names nobody: sub has to be a text of 1 to 255 characters."),
        ({"sub": "x" * 256}, "This token names nobody: sub has to be a text of 1 to 255 characters."),
        ({"sub": "a\0b"}, "This token names nobody: sub has to be a text of 1 to 255 characters."),
        ({"groups": 5}, "The claim groups of this token is not a list of texts."),
        ({"groups": ["leads", None]}, "The claim groups of this token is not a list of texts."),
        ({"events": {}}, "This is no access token."),
    ],
)
async def test_token_with_other_claims_is_refused(desk: Desk, claims: dict[str, Any], says: str) -> None:
    assert await desk.refused(desk.token(**claims)) == says


@pytest.mark.parametrize("name", ["name", "email", "preferred_username"])
@pytest.mark.parametrize("value", [5, ["x"], {"a": 1}, "", "x" * 300, "a\nb", "a\0b", " "])
async def test_token_whose_description_cannot_be_kept_names_a_person_all_the_same(
    desk: Desk, name: str, value: Any
) -> None:
    person = await desk.tokens.person(desk.token(**{"email_verified": True, name: value}))
    assert (person.name, person.email, person.login) == (None, None, None)


@pytest.mark.parametrize(("verified", "email"), [(True, "a@example.com"), ("true", None), (1, None), (None, None)])
async def test_token_gives_an_address_only_when_the_provider_has_verified_it(
    desk: Desk, verified: Any, email: str | None
) -> None:
    person = await desk.tokens.person(desk.token(email="a@example.com", email_verified=verified))
    assert person.email == email
    for other in ("ana", "a b@example.com", "@example.com", "a@b@c"):
        person = await desk.tokens.person(desk.token(email=other, email_verified=verified))
        assert person.email is None


async def test_groups_that_grant_something_are_kept_before_others(desk: Desk) -> None:
    others = [f"other-{number:03}" for number in range(200)]
    found = await desk.tokens.person(desk.token(groups=["b\nd", "", "x" * 256, *others, "leads", "leads", "owners"]))
    assert found.groups == ("leads", *others[:98], "owners")
    assert (await desk.tokens.person(desk.token())).groups == ()


async def test_claims_are_found_inside_of_objects(desk: Desk) -> None:
    issuer = desk.of.issuer.model_copy(update={"groups_claim": ("realm_access", "roles")})
    desk.of.issuer = issuer
    found = await desk.tokens.person(desk.token(realm_access={"roles": ["owners"]}))
    assert (found.is_admin, found.permissions) == (True, frozenset())
    assert not (await desk.tokens.person(desk.token(realm_access=["roles"]))).is_admin


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(value if isinstance(value, bytes) else orjson.dumps(value)).rstrip(b"=").decode()


async def test_token_without_a_signature_is_refused(desk: Desk) -> None:
    claims = part(desk.provider.claims(desk.now))
    for algorithm in ("none", "None", "NONE", ""):
        for signature in ("", "AAAA"):
            token = f"{part({'alg': algorithm, 'kid': 'first'})}.{claims}.{signature}"
            assert (await desk.refused(token)).startswith("The algorithm of this token is not one of RS256, PS256")
    good = desk.token()
    assert await desk.refused(good.rpartition(".")[0] + ".") == "The signature of this token is not valid."
    assert desk.provider.asked == {METADATA_AT: 1, KEYS_AT: 1}


async def test_token_that_is_signed_with_a_public_key_as_a_secret_is_refused(desk: Desk) -> None:
    desk.provider.rotate("k", "RS256")
    public = desk.provider.keys["k"].as_pem(private=False)  # type: ignore[union-attr]
    for algorithm in ("HS256", "HS384", "HS512"):
        signing = f"{part({'alg': algorithm, 'kid': 'k'})}.{part(desk.provider.claims(desk.now))}"
        signature = hmac.digest(public, signing.encode(), f"sha{algorithm[2:]}")
        assert (await desk.refused(f"{signing}.{part(signature)}")).startswith("The algorithm of this token is not one")


async def test_token_of_a_key_of_another_type_or_algorithm_is_refused(desk: Desk) -> None:
    desk.provider.rotate("k", "RS256")
    stranger = made_key("ES256", "k")
    token = signed({"alg": "ES256", "kid": "k"}, desk.provider.claims(desk.now), stranger)
    assert await desk.refused(token) == "The key of this token is not one of its issuer's."
    own = desk.provider.keys["k"]
    same = {**own.as_dict(private=True), "alg": "PS256"}
    other = type(own).import_key(same)
    token = signed({"alg": "PS256", "kid": "k"}, desk.provider.claims(desk.now), other)
    assert await desk.refused(token) == "The signature of this token is not valid."


async def test_token_of_a_stranger_with_a_known_key_id_is_refused(desk: Desk) -> None:
    token = signed({"alg": "ES256", "kid": "first"}, desk.provider.claims(desk.now), made_key("ES256", "first"))
    assert await desk.refused(token) == "The signature of this token is not valid."
    head, body, signature = desk.token().split(".")
    other = part(desk.provider.claims(desk.now, sub="root"))
    assert await desk.refused(f"{head}.{other}.{signature}") == "The signature of this token is not valid."
    assert await desk.refused(f"{head}.{body}.{signature}AAAA") == "The signature of this token is not valid."


@pytest.mark.parametrize("kid", [None, "", 5, ["first"], {"kid": "first"}, "x" * 257])
async def test_token_that_does_not_name_its_key_is_refused(desk: Desk, kid: Any) -> None:
    header = part({"alg": "ES256", "kid": kid} if kid is not None else {"alg": "ES256"})
    _, body, signature = desk.token().split(".")
    assert await desk.refused(f"{header}.{body}.{signature}") == "This token does not name its key."
    assert not desk.provider.asked


@pytest.mark.parametrize("kid", ["../../etc/passwd", "http://127.0.0.1:1/keys", "first\0", "'; DROP TABLE app_user --"])
async def test_token_whose_key_id_is_a_path_or_an_address_is_refused(desk: Desk, kid: str) -> None:
    """Its header leads nowhere else: only the provider that the settings name is asked, and only once."""
    where = {"jku": f"{desk.provider.url}/evil", "x5u": f"{desk.provider.url}/evil"}
    header = part({"alg": "ES256", "kid": kid, "jwk": desk.provider.public_keys()[0], **where})
    _, body, signature = desk.token().split(".")
    for _ in range(3):
        says = await desk.refused(f"{header}.{body}.{signature}")
        assert says == "The key of this token is not one of its issuer's."
    assert desk.provider.asked == {METADATA_AT: 1, KEYS_AT: 1}


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "ES256", "kid": "first", "crit": ["exp"], "exp": 1},
        {"alg": "ES256", "kid": "first", "crit": ["b64"], "b64": False},
        {"alg": "ES256", "kid": "first", "typ": "logout+jwt"},
        {"alg": "ES256", "kid": "first", "typ": 5},
    ],
)
async def test_token_of_another_sort_is_refused(desk: Desk, header: dict[str, Any]) -> None:
    token = f"{part(header)}.{'.'.join(desk.token().split('.')[1:])}"
    assert await desk.refused(token) == "This is no access token."


@pytest.mark.parametrize("head", [[], "alg", 5, None, b"\xff", b"{", b'{"alg":'])
async def test_token_that_cannot_be_read_is_refused(desk: Desk, head: Any) -> None:
    _, body, signature = desk.token().split(".")
    for token in (f"eyJ.{body}.{signature}", f"eyJ{part(head)}.{body}.{signature}"):
        assert await desk.refused(token) == "This token cannot be read."
    assert await desk.refused(f"{part({'alg': 'ES256'})}.{part(head)}.{signature}") == "This token cannot be read."


async def test_token_with_a_header_of_many_bytes_is_refused(desk: Desk) -> None:
    key = desk.provider.keys["first"]
    header = {"alg": "ES256", "kid": "first", "x5c": ["A" * 5_000]}
    token = signed(header, desk.provider.claims(desk.now), key)
    assert await desk.refused(token) == "The signature of this token is not valid."


@pytest.mark.parametrize("text", ["swk_abcdefgh_" + "x" * 43, "eyJ", "eyJhbGciOiJub25lIn0.e30", "a.b.c", "eyJé.e30.x"])
def test_text_that_is_no_token_is_left_to_the_keys(text: str) -> None:
    assert not is_token(text)


# ---- the provider's documents ----


async def test_keys_are_fetched_once_and_again_when_one_is_unknown(desk: Desk) -> None:
    assert (await desk.tokens.person(desk.token())).subject == "ana"
    desk.provider.rotate("second")
    desk.time.now += PAUSE
    assert (await desk.tokens.person(desk.token("second"))).subject == "ana"
    assert desk.provider.asked == {METADATA_AT: 2, KEYS_AT: 2}


async def test_unknown_keys_are_asked_for_once_a_minute(desk: Desk) -> None:
    assert (await desk.tokens.person(desk.token())).subject == "ana"
    head = part({"alg": "ES256", "kid": "nobody's"})
    unknown = f"{head}.{'.'.join(desk.token().split('.')[1:])}"
    for _ in range(20):
        desk.time.now += 2.9
        assert await desk.refused(unknown) == "The key of this token is not one of its issuer's."
    assert desk.provider.asked[KEYS_AT] == 1
    desk.time.now += 2.0
    for _ in range(20):
        assert await desk.refused(unknown) == "The key of this token is not one of its issuer's."
    assert desk.provider.asked[KEYS_AT] == 2


async def test_token_of_a_key_that_its_provider_has_withdrawn_is_verified_anew(desk: Desk) -> None:
    token = desk.token()
    assert (await desk.tokens.person(token)).subject == "ana"
    desk.provider.rotate("second")
    desk.time.now += FRESH + 1
    assert (await desk.tokens.person(token)).subject == "ana"  # the keys are fetched beside it
    while desk.of.generation < 2:
        await desk.of.key("second", "EC")
    assert await desk.refused(token) == "The key of this token is not one of its issuer's."


async def test_keys_that_are_fetched_again_unchanged_leave_verified_tokens_be(desk: Desk) -> None:
    assert (await desk.tokens.person(desk.token())).subject == "ana"
    generation = desk.of.generation
    desk.time.now += FRESH + 1
    assert (await desk.tokens.person(desk.token())).subject == "ana"
    while desk.provider.asked[KEYS_AT] < 2 or desk.of._fetching is not None:
        await desk.of.key("first", "EC")
        await asyncio.sleep(0.01)
    assert desk.of.generation == generation


async def test_known_keys_outlast_an_outage_of_a_day(desk: Desk) -> None:
    token = desk.token(exp=int(desk.now) + 10**6)
    assert (await desk.tokens.person(token)).subject == "ana"
    desk.provider.fault = "down"
    desk.time.now += OLDEST
    assert (await desk.tokens.person(token)).subject == "ana"
    fresh = desk.token(exp=int(desk.now) + 10**6, sub="bo")
    assert (await desk.tokens.person(fresh)).subject == "bo"
    desk.time.now += PAUSE + 1
    with pytest.raises(Unavailable, match="does not answer now"):
        await desk.tokens.person(token)
    desk.provider.fault = None
    desk.time.now += PAUSE
    assert (await desk.tokens.person(token)).subject == "ana"


HASTY = 1.5
FAULTS: list[tuple[Fault, str]] = [
    ("down", "The answer was not HTTP, or ended early."),
    ("slow", "It took too long."),
    ("redirect", "It was answered with the status 302."),
    ("huge", "The answer has more than 262,144 bytes."),
    ("many", "The key set has 10,000 keys; at most 100 are read."),
    ("not_json", "The metadata is not JSON."),
    ("elsewhere", "The metadata is that of another issuer."),
]


@pytest.mark.parametrize(
    ("desk", "fault", "reason"),
    [(HASTY if each[0] == "slow" else PATIENCE, *each) for each in FAULTS],
    indirect=["desk"],
)
async def test_provider_that_cannot_be_relied_on_is_asked_once_a_minute(desk: Desk, fault: Fault, reason: str) -> None:
    desk.provider.fault = fault
    token = desk.token()
    with capture_logs() as logs:
        for _ in range(5):
            with pytest.raises(Unavailable, match="does not answer now"):
                await desk.tokens.person(token)
    assert [(entry["issuer"], entry["reason"]) for entry in logs] == [(desk.provider.url, reason)]
    assert sum(desk.provider.asked.values()) <= 2
    desk.provider.fault = None
    desk.time.now += PAUSE
    assert (await desk.tokens.person(token)).subject == "ana"


async def test_requests_that_come_at_once_share_one_fetch(desk: Desk) -> None:
    found = await asyncio.gather(*(desk.tokens.person(desk.token(sub=f"p{number}")) for number in range(50)))
    assert {person.subject for person in found} == {f"p{number}" for number in range(50)}
    assert desk.provider.asked == {METADATA_AT: 1, KEYS_AT: 1}
