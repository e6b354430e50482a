"""Encryption of secrets that must be readable again."""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.core.errors import NoSecretsKey


class Unreadable(Exception):
    """None of the keys decrypts the sealed text."""


class Sealer:
    """Seals with the first of its keys, and unseals with any of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys]) if keys else None

    def seal(self, secret: str) -> str:
        """The secret, encrypted and authenticated: ASCII, about 1.4 times as long plus 100 characters.

        Raises NoSecretsKey."""
        if self._fernet is None:
            raise NoSecretsKey(
                "The server has no key to seal secrets with. Make one by `python -m app secrets-key`, set "
                "SWITCHBOARD_SECRETS_KEY to it, and restart."
            )
        return self._fernet.encrypt(secret.encode()).decode("ascii")

    def unseal(self, sealed: str) -> str:
        """The secret. Raises Unreadable when the key that sealed it is not among the keys."""
        if self._fernet is None:
            raise Unreadable("The server has no key to unseal secrets with.")
        try:
            return self._fernet.decrypt(sealed).decode()
        except InvalidToken:
            raise Unreadable("The secret was sealed with another key, or is damaged.") from None


def new_key() -> str:
    """A random key for `SWITCHBOARD_SECRETS_KEY`."""
    return Fernet.generate_key().decode("ascii")
