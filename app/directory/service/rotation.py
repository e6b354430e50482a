"""Commands that change a pepper: digest keys again, end former peppers."""

from app.core.actor import SYSTEM
from app.directory.model import ApiKey
from app.directory.repository import ApiKeyRepository, PepperRepository
from app.directory.service.keys import revoke_all
from app.directory.service.peppers import pepper_in_use, settle_pepper
from app.storage.work import Work


def redigest(work: Work, key_id: int, token: str) -> ApiKey | None:
    """Digest a key, whose secret was verified with a former pepper, with the current one.

    Returns None when the key is no longer usable. Raises Unavailable."""
    pepper = pepper_in_use(work)
    keys = work.use(ApiKeyRepository)
    before = keys.get(key_id, for_update=True)
    if before is None or not before.is_usable(work.now):
        return None
    after = before.digested(token, pepper.secret, pepper.id)
    keys.save(before, after)
    return after


def end_peppers(work: Work, *, lost: bool = False) -> int:
    """End every pepper but the current one: revoke the keys that are digested with them. Returns how many.

    `lost` ends them even when the former pepper is not available. Raises ConfigurationError as `settle_pepper` does."""
    pepper = settle_pepper(work, lost=lost)
    keys = work.use(ApiKeyRepository).not_digested_with(pepper.id)
    revoke_all(work, SYSTEM, keys)
    work.use(PepperRepository).end_others(pepper.id, work.now)
    return len(keys)
