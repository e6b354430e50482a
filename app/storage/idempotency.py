"""Runs a request once, however often it is sent."""

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

import orjson
import sqlalchemy as sa

from app.core.actor import Actor
from app.core.errors import InvalidInput, KeyReused, TooLong
from app.core.text import is_storable
from app.storage.constructs import insert_into
from app.storage.tables import BigId, JsonValue, Timestamp, metadata
from app.storage.work import Work

T = TypeVar("T")

LONGEST_KEY = 255

idempotency_key = sa.Table(
    "idempotency_key",
    metadata,
    # No foreign key: storage must not depend on the directory, and rows expire within a day anyway.
    sa.Column("actor_id", BigId, primary_key=True, autoincrement=False),
    # The digest of the key, because a client may build keys from a customer's words.
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("request_hash", sa.Text, nullable=False),
    sa.Column("result", JsonValue),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Index("ix_idempotency_key_created_at", "created_at"),
    sqlite_with_rowid=False,
)


def once(work: Work, actor: Actor, key: str | None, request: object, f: Callable[[], T]) -> T:
    """Run `f`, unless the actor's `key` has run before; then return that result again.

    `request` is anything that orjson encodes and that tells two requests apart; it should contain the command's name.
    The result is stored as JSON, so it must consist of surrogates, strings, lists and dicts. A refused request is not
    stored. Without a key, `f` just runs. Call this after the unit has taken its other locks. Raises KeyReused when
    another request used the same key; InvalidInput when the key is empty, or when the request is nested too deeply for
    any command; TooLong when the key has more than 255 characters."""
    if key is None:
        return f()
    if not key or len(key) > LONGEST_KEY or not is_storable(key):
        refused = TooLong if len(key) > LONGEST_KEY else InvalidInput
        raise refused(f"An idempotency key has 1 to {LONGEST_KEY} characters.", path=("idempotency_key",))
    request_hash = _hash_of(request)
    table = idempotency_key
    digest = hashlib.sha256(key.encode()).hexdigest()
    mine = sa.and_(table.c.actor_id == actor.user_id, table.c.key == digest)
    oldest = work.now - work.settings.idempotency_retention
    work.connection.execute(sa.delete(table).where(mine, table.c.created_at < oldest))
    taken = insert_into(work.dialect_name, table).values(
        actor_id=actor.user_id, key=digest, request_hash=request_hash, created_at=work.now
    )
    # A request with the same key at the same moment waits here until the other unit has ended.
    if work.connection.execute(taken.on_conflict_do_nothing().returning(table.c.key)).first() is None:
        return cast("T", _first_result(work, mine, request_hash))
    result = f()
    work.connection.execute(sa.update(table).where(mine).values(result=result))
    return result


def _hash_of(request: object) -> str:
    try:
        encoded = orjson.dumps(request, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        # The request is hashed before its command has checked the values nested in it.
        raise InvalidInput("This request is nested too deeply.") from None
    return hashlib.sha256(encoded).hexdigest()


def _first_result(work: Work, mine: sa.ColumnElement[bool], request_hash: str) -> Any:
    row = work.connection.execute(sa.select(idempotency_key.c.request_hash, idempotency_key.c.result).where(mine)).one()
    if row.request_hash != request_hash:
        raise KeyReused("This idempotency key came with another request.", path=("idempotency_key",))
    return row.result


def forget_answers(work: Work) -> int:
    """Delete the answers that are older than the setting `idempotency_retention`. Returns how many there were."""
    oldest = work.now - work.settings.idempotency_retention
    erased = work.connection.execute(sa.delete(idempotency_key).where(idempotency_key.c.created_at < oldest))
    return erased.rowcount
