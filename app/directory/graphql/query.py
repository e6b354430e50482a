"""The root fields that read the directory."""

import strawberry

from app.directory.graphql.customer_types import Customer, Profile
from app.directory.graphql.enums import SystemName
from app.directory.graphql.types import User, Viewer
from app.graph.fields import PAGING, Connection, argument, root

_SEARCH = "Words that must all match; the last one matches as a prefix. Case and accents are ignored."
SEARCH_USERS = argument(str | None, f"{_SEARCH} Searches names and logins.")
PRESENT = argument(bool | None, "Whether chats may be offered to the users.")
"""The arguments that filter lists of users."""


@strawberry.type
class DirectoryQuery:
    viewer: Viewer | None = root(description="The caller.")
    user: User | None = root(description="The user with an id.", id=argument(strawberry.ID, "The id of the user."))
    users: Connection[User] | None = root(
        description="The users, in the order in which they were made.",
        search=SEARCH_USERS,
        present=PRESENT,
        active=argument(bool | None, "Whether the keys of the users are accepted."),
        **PAGING,
    )
    customer: Customer | None = root(
        description="The customer with this id, or with this key in its system: give exactly one. Needs "
        "`directory:read`.",
        id=argument(strawberry.ID | None, "The id of the customer."),
        customer_key=argument(str | None, "The key of the customer in its own system."),
    )
    customers: Connection[Customer] | None = root(
        description="The customers, the newest first. Needs `directory:read`.",
        search=argument(
            str | None,
            f"{_SEARCH} Searches names, companies, e-mail addresses, telephone numbers, keys and tags.",
        ),
        system=argument(SystemName | None, "The system of the customers."),
        profile_id=argument(strawberry.ID | None, "The id of the profile of the customers."),
        **PAGING,
    )
    profile: Profile | None = root(
        description="The profile with an id. Needs `directory:read`.",
        id=argument(strawberry.ID, "The id of the profile."),
    )
    profiles: Connection[Profile] | None = root(
        description="The profiles, the newest first. Needs `directory:read`.",
        search=argument(str | None, f"{_SEARCH} Searches names, e-mail addresses and telephone numbers."),
        **PAGING,
    )
