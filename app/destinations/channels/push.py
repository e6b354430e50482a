"""Browser notifications, encrypted (RFC 8291) and signed by the server (RFC 8292)."""

import hashlib
import os
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

from app.core.base64url import decoded
from app.core.errors import InvalidInput
from app.core.vapid import Vapid
from app.destinations.channels.alert import TEST
from app.destinations.channels.channel import Accepted, Channel, Message, Request, Target, origin_of, without_path
from app.settings import Settings

_RECORD = 4_096
_KEPT_SECONDS = 4 * 3_600
"""How long the push service keeps a message for a browser that is offline."""

_TOKEN_SECONDS = 12 * 3_600
_CURVE = ec.SECP256R1()
_SAYS = 'This takes the keys of a PushSubscription as JSON: {"p256dh": "…", "auth": "…"}.'


def encrypted(plain: bytes, public: bytes, auth: bytes, private: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """A message for the holder of a subscription's keys, as one record of aes128gcm (RFC 8188).

    `private` belongs to a key pair that is made for this message alone, like the salt."""
    mine = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, public))
    secret = _derived(shared, auth, b"WebPush: info\0" + public + mine, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + _RECORD.to_bytes(4, "big") + bytes([len(mine)]) + mine
    return head + AESGCM(key).encrypt(nonce, plain + b"\x02", None)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


def _accept(address: str, secret: str | None) -> Accepted:
    try:
        found: Any = orjson.loads(secret or "")
        keys = {name: str(found[name]) for name in ("p256dh", "auth")}
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, decoded(keys["p256dh"]))
        if len(decoded(keys["auth"])) != 16:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise InvalidInput(_SAYS, path=("secret",)) from None
    if address.endswith("…"):
        raise InvalidInput("The keys belong to the address. Give the address again, too.", path=("address",))
    return Accepted(without_path(address), orjson.dumps({"endpoint": address, **keys}).decode())


def _request(target: Target, message: Message) -> Request:
    assert message.vapid is not None
    found = orjson.loads(target.secrets[0])
    alert = message.alert()
    said: dict[str, object] = {"title": TEST, "tag": "test"}
    if alert is not None:
        body = " · ".join(f"{name}: {value}" for name, value in alert.facts)
        said = {"title": alert.title, "body": body, "tag": alert.interaction_id, "step": alert.step, "url": alert.link}
    public, auth = decoded(found["p256dh"]), decoded(found["auth"])
    content = encrypted(orjson.dumps(said), public, auth, ec.generate_private_key(_CURVE), os.urandom(16))
    headers = {
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        "ttl": str(_KEPT_SECONDS),
        "urgency": "high",
        # A newer message replaces one that was not shown yet.
        "topic": hashlib.sha256(str(said["tag"]).encode()).hexdigest()[:32],
        "authorization": _authorization(message.vapid, found["endpoint"], int(message.at.timestamp())),
    }
    return Request(found["endpoint"], headers, content)


def _authorization(vapid: Vapid, endpoint: str, now: int) -> str:
    claims = {"aud": origin_of(endpoint), "exp": now + _TOKEN_SECONDS, "sub": vapid.contact}
    key = ECKey.import_key(vapid.private)
    token = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, key)
    return f"vapid t={token}, k={vapid.public_text}"


def _lacks(settings: Settings) -> str | None:
    if settings.vapid is not None:
        return None
    return "Web push needs SWITCHBOARD_VAPID_KEY and SWITCHBOARD_VAPID_CONTACT."


CHANNEL = Channel(_accept, _request, takes_secret=True, lacks=_lacks, gone=frozenset({404, 410}))
