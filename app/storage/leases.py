"""Leases: which process works on something, and until when."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.core.holders import is_gone
from app.storage.constructs import insert_into
from app.storage.tables import Timestamp, metadata
from app.storage.work import Work

lease = sa.Table(
    "lease",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", Timestamp, nullable=False),
    sqlite_with_rowid=False,
)


def take_lease(work: Work, name: str, holder: str, lasts: timedelta) -> bool:
    """Begin or renew the lease `name` for the holder, for as long as it `lasts`. Returns whether the holder has it now.

    Only one of several processes gets it. Any process may take a lease that has ended, or whose holder has: a process
    of the same machine is known to be gone, of others only time tells."""
    insert = insert_into(work.dialect_name, lease).values(name=name, holder=holder, until=work.now + lasts)
    mine = insert.on_conflict_do_update(
        index_elements=[lease.c.name],
        set_={"holder": insert.excluded.holder, "until": insert.excluded.until},
        where=sa.or_(lease.c.holder == holder, lease.c.until <= work.now),
    )
    if work.connection.execute(mine).rowcount > 0:
        return True
    other = work.connection.execute(sa.select(lease.c.holder).where(lease.c.name == name)).scalar()
    if other is None or not is_gone(other):
        return False
    of_gone = sa.update(lease).where(lease.c.name == name, lease.c.holder == other)
    return work.connection.execute(of_gone.values(holder=holder, until=work.now + lasts)).rowcount > 0


def end_lease(work: Work, name: str, holder: str) -> None:
    """End the lease `name` if the holder has it. Another process may then take it at once."""
    work.connection.execute(sa.delete(lease).where(lease.c.name == name, lease.c.holder == holder))


def forget_leases(work: Work) -> None:
    """Delete the leases that have ended."""
    work.connection.execute(sa.delete(lease).where(lease.c.until <= work.now))


def end_leases(work: Work, holder: str) -> None:
    """End all leases of the holder."""
    work.connection.execute(sa.delete(lease).where(lease.c.holder == holder))


def holds_lease(work: Work, name: str, holder: str) -> bool:
    """Whether the holder has the lease. If so, the holder keeps it until the unit ends."""
    found = sa.select(lease.c.until).where(lease.c.name == name, lease.c.holder == holder).with_for_update()
    until = work.connection.execute(found).scalar()
    return until is not None and until > work.now


def begin_life(work: Work, holder: str, lasts: timedelta) -> None:
    """Begin the life of a holder that never lived. What it holds needs no leases: it is the holder's while it lives."""
    work.connection.execute(sa.insert(lease).values(name=_life(holder), holder=holder, until=work.now + lasts))


def prolong_life(work: Work, holder: str, lasts: timedelta) -> bool:
    """Let the holder live for so long from now. Returns False when its life has ended, which is for good."""
    mine = sa.update(lease).where(lease.c.name == _life(holder), lease.c.until > work.now)
    return work.connection.execute(mine.values(until=work.now + lasts)).rowcount > 0


def lives_of(work: Work, holders: Collection[str]) -> Mapping[str, datetime]:
    """Those of the holders that live, and until when unless they prolong it."""
    found = sa.select(lease.c.holder, lease.c.until).where(lease.c.name.in_([_life(holder) for holder in holders]))
    rows = work.connection.execute(found).all()
    return {holder: until for holder, until in rows if until > work.now and not is_gone(holder)}


def end_lives(work: Work, holders: Collection[str]) -> frozenset[str]:
    """End the lives whose time is over or whose process has ended. Returns those of the holders that live no more.

    None of them can prolong its life, so what they held may be taken."""
    dead = frozenset(holders) - lives_of(work, holders).keys()
    if not dead:
        return dead
    names = [_life(holder) for holder in dead]
    over = sa.or_(lease.c.until <= work.now, lease.c.holder.in_([holder for holder in dead if is_gone(holder)]))
    work.connection.execute(sa.delete(lease).where(lease.c.name.in_(names), over))
    # A holder whose time was over may have prolonged its life in the last moment.
    return dead - set(work.connection.execute(sa.select(lease.c.holder).where(lease.c.name.in_(names))).scalars())


def end_life(work: Work, holder: str) -> None:
    """End the life of the holder."""
    end_lease(work, _life(holder), holder)


def _life(holder: str) -> str:
    return f"life of {holder}"
