"""Whom a bulk load talks to: persons with a profile, and their customers in up to four systems."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

from app.demo.people import name_of, phone_of
from app.directory.model import Customer, Gender, Profile, Salutation
from app.directory.repository import CustomerRepository, ProfileRepository
from app.directory.tables import customer, profile
from app.storage.repository import reserve_ids
from app.storage.work import Work
from benchmarks.bulk.staff import HISTORY, Staff
from benchmarks.bulk.words import COMPANIES, STREETS, TAGS

_INTERACTIONS_EACH = {
    "CONVERSATION": 2,
    "CHAT_SESSION": 3,
    "AGENT_SESSION": 3,
    "SESSION": 4,
}
_UNLINKED = 0.1


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who is whom, without a row read: person 0 has the first profile and the first customer of each system."""

    first_profile: int
    first: dict[str, int]
    count: dict[str, int]

    @property
    def persons(self) -> int:
        return self.count["CONVERSATION"]

    def customer(self, system: str, number: int) -> int:
        """The surrogate of the customer of a system's interaction with this number; they take turns."""
        return self.first[system] + number % self.count[system]


def invite(work: Work, of_each_kind: int) -> Crowd:
    """Reserve the ids of as many profiles and customers as this many interactions of each kind have."""
    count = {system: max(1, of_each_kind // each) for system, each in _INTERACTIONS_EACH.items()}
    start = reserve_ids(work.connection, customer, sum(count.values()))
    first = {}
    for system in count:
        first[system] = start
        start += count[system]
    persons = count["CONVERSATION"]
    return Crowd(reserve_ids(work.connection, profile, persons), first, count)


def add_persons(work: Work, staff: Staff, crowd: Crowd, persons: Sequence[int], seed: str) -> None:
    """Store these persons' profiles and customers."""
    random = Random(f"{seed}:persons:{persons[0]}")
    profiles, customers = [], []
    for person in persons:
        since = staff.now - HISTORY - timedelta(minutes=1 + person % 43_200)
        first_name, last_name = name_of(person)
        known = Profile(
            id=crowd.first_profile + person,
            salutation=(None, *Salutation)[person % 4],
            name=f"{first_name} {last_name}",
            gender=(Gender.UNDISCLOSED, Gender.FEMALE, Gender.MALE, Gender.DIVERSE)[person % 4],
            blocked=random.random() < 0.005,
            phone_number=phone_of(crowd.first_profile + person),
            email=f"person-{crowd.first_profile + person}@example.org",
            address=f"{STREETS[person % len(STREETS)]} {1 + person % 120}",
            created_at=since,
            updated_at=since,
        )
        profiles.append(known)
        for system, count in crowd.count.items():
            if person < count:
                linked = known.id if random.random() >= _UNLINKED else None
                customers.append(_customer(crowd, staff, system, person, known, linked, random))
    work.use(ProfileRepository).add_many(profiles)
    work.use(CustomerRepository).add_many(customers)


def _customer(
    crowd: Crowd, staff: Staff, system: str, person: int, known: Profile, linked: int | None, random: Random
) -> Customer:
    number = crowd.first[system] + person
    first_name, last_name = name_of(person)
    on_messenger = system == "CONVERSATION"
    channel = staff.lines[person % len(staff.lines)].channel if on_messenger else None
    has_phone = system == "SESSION"
    return Customer(
        id=number,
        customer_key=f"customer-{number}",
        system=system,
        channel=channel,
        display_id=f"{phone_of(number)[1:]}" if on_messenger else None,
        name=known.name,
        first_name=first_name,
        last_name=last_name,
        phone_number=phone_of(number) if has_phone else None,
        country_code="DE" if has_phone else None,
        email=known.email,
        company_name=COMPANIES[person % len(COMPANIES)] if system == "CHAT_SESSION" else None,
        time_zone="Europe/Oslo" if has_phone else None,
        tags=(TAGS[person % len(TAGS)],) if has_phone else (),
        unsubscribed=has_phone and random.random() < 0.02,
        confirmed_at=known.created_at if has_phone else None,
        profile_id=linked,
        created_at=known.created_at,
        updated_at=known.created_at,
    )
