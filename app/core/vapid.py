"""The key pair by which push services know this server (RFC 8292)."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.core.base64url import decoded, encoded

_CURVE = ec.SECP256R1()
_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Vapid:
    """The private key, and the contact address of this server's operator for push services."""

    private: ec.EllipticCurvePrivateKey
    contact: str

    @property
    def public_text(self) -> str:
        """The public key as browsers take it, their `applicationServerKey`."""
        return encoded(self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def private_key_of(text: str) -> ec.EllipticCurvePrivateKey:
    """The private key in a text. Raises ValueError when the text has none."""
    number = decoded(text)
    if len(number) != _LENGTH:
        raise ValueError("A private key has 32 bytes.")
    return ec.derive_private_key(int.from_bytes(number, "big"), _CURVE)


def new_private_key() -> str:
    """A random private key, as a text."""
    return encoded(ec.generate_private_key(_CURVE).private_numbers().private_value.to_bytes(_LENGTH, "big"))
