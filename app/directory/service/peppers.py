"""Commands on the pepper: which one is in use, and its change."""

import secrets
from typing import NamedTuple

from app.core.errors import Unavailable
from app.directory.model.pepper import PEPPER, SALT, fingerprint, peppers_of
from app.directory.repository import PepperRepository, SecretRepository
from app.storage.engines import ConfigurationError
from app.storage.work import Work

_VARIABLE = "SWITCHBOARD_KEY_PEPPER"


class Pepper(NamedTuple):
    """The pepper of new digests. `id` is stored with each key."""

    id: int
    secret: str


def settle_pepper(work: Work, *, lost: bool = False) -> Pepper:
    """Make the pepper of the settings, or else the stored one, the current one of the database, and return it.

    Units that do this run one after the other. `lost` allows a change without the former pepper. Raises
    ConfigurationError when the database's current pepper is another one that is not available, and for a pepper that
    was ended."""
    stored = work.use(SecretRepository)
    salt = stored.get_or_add(SALT, secrets.token_urlsafe(32))
    wanted, *others = peppers_of(work.settings, stored.get_or_add(PEPPER, secrets.token_urlsafe(32)))
    peppers = work.use(PepperRepository)
    known = {pepper.fingerprint: pepper for pepper in peppers.all()}
    mine = known.get(fingerprint(wanted, salt))
    current = next((pepper for pepper in known.values() if pepper.is_current), None)
    if mine is not None and mine == current:
        return Pepper(mine.id, wanted)
    if mine is not None and mine.ended_at is not None:
        raise ConfigurationError(_ended(work))
    if current is not None and not lost and current.fingerprint not in {fingerprint(other, salt) for other in others}:
        raise ConfigurationError(_changed(work))
    number = peppers.add(fingerprint(wanted, salt), work.now) if mine is None else mine.id
    if current is None:
        peppers.adopt_keys(number)
    peppers.make_current(number)
    return Pepper(number, wanted)


def pepper_in_use(work: Work) -> Pepper:
    """The pepper that this process makes digests with.

    Raises Unavailable when another process has changed to a pepper that this process does not have."""
    stored = work.use(SecretRepository)
    salt, own = stored.get(SALT), stored.get(PEPPER)
    if salt is None or own is None:
        return settle_pepper(work)
    wanted, *others = peppers_of(work.settings, own)
    known = {pepper.fingerprint: pepper for pepper in work.use(PepperRepository).all()}
    if not known:
        return settle_pepper(work)
    mine = known.get(fingerprint(wanted, salt))
    if mine is not None and mine.ended_at is None:
        return Pepper(mine.id, wanted)
    for other in others:
        # The pepper of the settings was ended, and the one that replaced it is available too.
        found = known.get(fingerprint(other, salt))
        if found is not None and found.is_current:
            return Pepper(found.id, other)
    raise Unavailable("The key pepper was changed. This server must be restarted with the new one.")


def _changed(work: Work) -> str:
    what = f"{_VARIABLE} is not set" if work.settings.key_pepper is None else f"{_VARIABLE} is another pepper"
    return (
        f"{what}, but the API keys of this database were digested with a pepper of that variable: no key would be "
        f"valid.\nTo keep the keys, set the former pepper again. To change it, set the new one and give the former one "
        f"in {_VARIABLE}_PREVIOUS.\nIf the former one is lost, the command `pepper end --lost` revokes all keys."
    )


def _ended(work: Work) -> str:
    if work.settings.key_pepper is None:
        return f"{_VARIABLE} is not set, and the pepper that is kept in the database was ended. Set the current one."
    return f"{_VARIABLE} is a pepper that was ended. Set the current one, or a new one."
