"""Notifications in browsers: what only the browser can read, and what its push service checks."""

import base64
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey
from pydantic import SecretStr

from app.core.errors import InvalidInput
from app.core.vapid import new_private_key, private_key_of
from app.destinations.channels import CHANNELS
from app.destinations.channels.push import encrypted
from app.destinations.model import DestinationType
from app.interactions.model import Level
from app.interactions.service.state import raise_attention
from tests.destinations.receiving import Receiver
from tests.destinations.running import Running, running
from tests.interactions.conftest import cnv
from tests.kinds.conftest import ADA

CONTACT = "mailto:desk@example.com"


def read(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def written(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


class Browser:
    """A subscription to push messages, and the one who can read them (RFC 8291, section 3.4)."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.public = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.auth = b"0123456789abcdef"

    @property
    def keys(self) -> str:
        return orjson.dumps({"p256dh": written(self.public), "auth": written(self.auth)}).decode()

    def read(self, content: bytes) -> Any:
        salt, size, length = content[:16], int.from_bytes(content[16:20], "big"), content[20]
        sender, sealed = content[21 : 21 + length], content[21 + length :]
        assert len(sealed) <= size
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        shared = self.private.exchange(ec.ECDH(), key)
        secret = HKDF(SHA256(), 32, self.auth, b"WebPush: info\0" + self.public + sender).derive(shared)
        cipher = AESGCM(HKDF(SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(secret))
        plain = cipher.decrypt(HKDF(SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(secret), sealed, None)
        assert plain[-1] == 2
        return orjson.loads(plain[:-1])


def test_push_message_is_encrypted_as_the_example_of_its_standard() -> None:
    # RFC 8291, section 5 and appendix A.
    found = encrypted(
        b"When I grow up, I want to be a watermelon",
        read("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
        read("BTBZMqHH6r4Tts7J_aSIgg"),
        private_key_of("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
        read("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert written(found) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
        "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@pytest.mark.parametrize(
    "secret", [None, "", "[]", "{}", '{"p256dh": "AAAA", "auth": "MDEyMzQ1Njc4OWFiY2RlZg"}', '{"p256dh": 1, "auth": 2}']
)
def test_push_keys_that_are_none_are_refused(secret: str | None) -> None:
    with pytest.raises(InvalidInput) as refused:
        CHANNELS[DestinationType.WEB_PUSH].accept("https://push.example.com/x", secret)
    assert refused.value.path == ("secret",)


@pytest.mark.anyio
async def test_push_is_told_by_a_policy_and_ends_with_its_subscription(database_url: str, receiver: Receiver) -> None:
    browser, private = Browser(), new_private_key()
    address = f"{receiver.url}/secret"
    given = {"name": "Phone", "type": "WEB_PUSH", "address": address, "secret": browser.keys}
    settings = {"vapid_key": SecretStr(private), "vapid_contact": CONTACT, "public_url": "https://console.example.com"}
    async with running(database_url, **settings) as app:  # type: ignore[arg-type]
        made = await app.do("createDestination", given, "destination { id address }")
        ref = made["destination"]["id"]
        assert made["destination"]["address"] == f"http://127.0.0.1:{receiver.port}/…"
        await app.do("createPolicy", {"name": "Night", "destinationIds": [ref]}, "policy { id }")
        await app.house.hear()
        (request,) = await receiver.has(1)
        item = browser.read(request.body)
        assert item["title"].startswith("NORMAL: Ana (conversation cnv_1)")
        assert (item["tag"], item["step"]) == ("cnv_1", "RAISED")
        assert item["url"] == "https://console.example.com/#open=cnv_1"
        assert (request.headers["content-encoding"], request.target) == ("aes128gcm", "/hook/secret")
        assert request.headers["ttl"].isdigit()
        token, _, key = request.headers["authorization"].removeprefix("vapid t=").partition(", k=")
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), read(key))
        claims = jwt.decode(token, ECKey.import_key(public), algorithms=["ES256"]).claims
        assert (claims["aud"], claims["sub"]) == (f"http://127.0.0.1:{receiver.port}", CONTACT)
        receiver.decide = lambda _headers, _body: (404, {}, b"")
        await app.house.database.command(raise_attention, ADA, cnv(1), Level.URGENT)
        await app.until(ref, state="STOPPED", reason="GONE")


@pytest.mark.anyio
async def test_push_without_keys_in_the_settings_is_refused(app: Running) -> None:
    given = {"name": "P", "type": "WEB_PUSH", "address": "http://127.0.0.1:9/", "secret": Browser().keys}
    payload = await app.attempt("createDestination", given)
    assert [(each["code"], each["path"]) for each in payload["errors"]] == [("NOT_SUPPORTED", ["input", "type"])]
    assert "SWITCHBOARD_VAPID_KEY" in payload["errors"][0]["message"]
