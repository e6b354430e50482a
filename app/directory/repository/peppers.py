"""The peppers of key digests, bootstrap keys, and internal secrets."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

import sqlalchemy as sa

from app.directory.model.pepper import StoredPepper
from app.directory.tables import api_key, bootstrap_key, directory_secret, key_pepper
from app.storage.constructs import insert_into
from app.storage.repository import Repository

_COLUMNS = [key_pepper.c[field.name] for field in fields(StoredPepper)]


class SecretRepository(Repository):
    """The secrets that the directory makes for itself."""

    def get(self, name: str) -> str | None:
        row = self._one(sa.select(directory_secret.c.value).where(directory_secret.c.name == name))
        return None if row is None else str(row.value)

    def get_or_add(self, name: str, value: str) -> str:
        """The secret of this name: the stored one, or else the given one, which is then stored. It is locked until the
        unit ends."""
        insert = insert_into(self.dialect_name, directory_secret).values(name=name, value=value)
        self.connection.execute(insert.on_conflict_do_nothing())
        stored = sa.select(directory_secret.c.value).where(directory_secret.c.name == name)
        return str(self.connection.execute(stored.with_for_update()).scalar_one())


class PepperRepository(Repository):
    """Named queries over the peppers that keys were digested with."""

    def all(self) -> Sequence[StoredPepper]:
        """The peppers, oldest first."""
        rows = self._all(sa.select(*_COLUMNS).order_by(key_pepper.c.id))
        return [StoredPepper(**row._mapping) for row in rows]

    def add(self, fingerprint: str, at: datetime) -> int:
        """Store a pepper that is not yet the current one. Returns its surrogate."""
        values = {"fingerprint": fingerprint, "is_current": False, "created_at": at}
        insert = sa.insert(key_pepper).values(values).returning(key_pepper.c.id)
        return int(self.connection.execute(insert).scalar_one())

    def make_current(self, number: int) -> None:
        """Record that new digests are only made with this pepper."""
        self.connection.execute(sa.update(key_pepper).values(is_current=key_pepper.c.id == number))

    def end_others(self, number: int, at: datetime) -> None:
        """Record for every other pepper that no digest may be made with it again."""
        others = sa.and_(key_pepper.c.id != number, key_pepper.c.ended_at.is_(None))
        self.connection.execute(sa.update(key_pepper).where(others).values(ended_at=at))

    def adopt_keys(self, number: int) -> None:
        """Record this pepper for the keys from before peppers were recorded."""
        self.connection.execute(sa.update(api_key).where(api_key.c.pepper_id.is_(None)).values(pepper_id=number))


class BootstrapKeyRepository(Repository):
    """All bootstrap keys that were ever set, by their fingerprints."""

    def get(self, fingerprint: str) -> int | None:
        """The surrogate of the API key that was made from this bootstrap key."""
        row = self._one(sa.select(bootstrap_key.c.api_key_id).where(bootstrap_key.c.fingerprint == fingerprint))
        return None if row is None else int(row.api_key_id)

    def add(self, fingerprint: str, key_id: int) -> None:
        self.connection.execute(sa.insert(bootstrap_key).values(fingerprint=fingerprint, api_key_id=key_id))
