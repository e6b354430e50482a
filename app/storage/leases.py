"""Leases: which process works on something, and until when."""

from datetime import timedelta

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


def renew_leases(work: Work, holder: str, lasts: timedelta) -> frozenset[str]:
    """Renew all leases of the holder, for as long as they last from now. Returns their names."""
    mine = sa.update(lease).where(lease.c.holder == holder).values(until=work.now + lasts).returning(lease.c.name)
    return frozenset(work.connection.execute(mine).scalars())


def end_leases(work: Work, holder: str) -> None:
    """End all leases of the holder."""
    work.connection.execute(sa.delete(lease).where(lease.c.holder == holder))


def holds_lease(work: Work, name: str, holder: str) -> bool:
    """Whether the holder has the lease. If so, the holder keeps it until the unit ends."""
    found = sa.select(lease.c.until).where(lease.c.name == name, lease.c.holder == holder).with_for_update()
    until = work.connection.execute(found).scalar()
    return until is not None and until > work.now
