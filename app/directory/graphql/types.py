"""The types of users, their credentials and their teams in the graph."""

from datetime import datetime
from typing import Annotated

import strawberry

from app.core.sessions import Credential, Transport
from app.directory.graphql.enums import PermissionName
from app.directory.graphql.hidden import HIDDEN, MANAGED, READ
from app.directory.model import UserType
from app.directory.model.grant import GrantSource
from app.graph.enums import described
from app.graph.fields import PAGING, Connection, Node, edge

described(
    UserType,
    "The type of a user's login.",
    {
        "UNKNOWN": "Not known.",
        "INTERNAL_ASSOCIATE": "A person of the business.",
        "RESOURCE_ASSOCIATE": "A thing that can be booked.",
        "EXTERNAL_ASSOCIATE": "A person of another business.",
        "ANONYMOUS_ASSOCIATE": "An anonymous associate.",
        "SYSTEM_ASSOCIATE": "A program.",
    },
)
_SESSIONS = "the newest first, of all processes. It is known a second after it began"

described(
    Transport,
    "How a session is open.",
    {"WEB_SOCKET": "A WebSocket.", "EVENT_STREAM": "A stream of Server-Sent Events."},
)
described(
    Credential,
    "What a session was let in by.",
    {
        "API_KEY": "An API key, or an access token that was given for one.",
        "ACCESS_TOKEN": "An access token of an identity provider.",
        "TICKET": "A ticket in the address of a stream.",
    },
)
described(
    GrantSource,
    "Where a permission comes from.",
    {
        "USER": "It is among the permissions of the user.",
        "ROLE": "The user has the role `admin`, which implies every permission.",
        "GROUP": "A group of an identity provider grants it, as the setting of the provider says.",
    },
)


@strawberry.type(description="Whether chats may be offered to a user.")
class Presence:
    present: bool = strawberry.field(description="Whether chats may be offered to the user.")
    changed_at: datetime | None = strawberry.field(description="The time of the latest change of the presence.")


@strawberry.type(description="A person or a service that works for the business.")
class User(Node):
    hidden_fields: list[str] = strawberry.field(description=HIDDEN)
    name: str = strawberry.field(description="The name of the user.")
    login: str = strawberry.field(description="The login name of the user, which no other user has.")
    full_name: str | None = strawberry.field(description="The full name of the user.")
    email: str | None = strawberry.field(description=f"The e-mail address of the user. {READ}")
    roles: list[str] | None = strawberry.field(
        description=f"The roles of the user; `admin` implies all permissions. {READ}"
    )
    permissions: list[PermissionName] | None = strawberry.field(description=f"The permissions of the user. {READ}")
    person_id: int | None = strawberry.field(description="The number of the user's person in the live chat's system.")
    type: UserType = strawberry.field(description="The sort of login of the user.")
    active: bool = strawberry.field(description="Whether the keys of the user are accepted.")
    is_service: bool = strawberry.field(description="Whether the user is a program.")
    presence: Presence = strawberry.field(description="The presence of the user.")
    created_at: datetime = strawberry.field(description="The time of the user's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the user.")
    version: int = strawberry.field(description="The number of edits of the user, from 1.")
    grants: list[Annotated["Grant", strawberry.lazy("app.directory.graphql.types")]] | None = strawberry.field(
        description="The permissions of the user by where each comes from: what it holds itself, then what the groups "
        f"of its identities grant. None of them counts while the user is inactive. {MANAGED}"
    )
    identities: Connection[Annotated["UserIdentity", strawberry.lazy("app.directory.graphql.types")]] | None = edge(
        description="The people at identity providers who sign in as the user, in the order in which they were linked. "
        f"{MANAGED}",
        **PAGING,
    )
    sessions_ended_at: datetime | None = strawberry.field(
        description="The time before which access tokens and tickets of the user are refused; null when its sessions "
        "were never ended, and without the permission `users:manage`."
    )
    open_sessions: Connection[Annotated["OpenSession", strawberry.lazy("app.directory.graphql.types")]] | None = edge(
        description=f"The sockets and streams of events that the user has open, {_SESSIONS}. {MANAGED}", **PAGING
    )
    api_keys: Connection[Annotated["ApiKey", strawberry.lazy("app.directory.graphql.types")]] | None = edge(
        description="The API keys of the user, newest first. Null without the permission `users:manage`; the "
        "caller's own keys are at `viewer`.",
        **PAGING,
    )

    teams: Connection[Annotated["Team", strawberry.lazy("app.directory.graphql.types")]] = edge(
        description="The teams of which the user is a member, in the order in which they were made.", **PAGING
    )


@strawberry.type(description="Users who work together, and whose interactions belong to them.")
class Team(Node):
    name: str = strawberry.field(description="The name of the team, which no other team has.")
    members: Connection[User] = edge(
        description="The members of the team, in the order in which the users were made.", **PAGING
    )
    account_ids: list[strawberry.ID] = strawberry.field(
        description="The ids of the ChannelAgents, AiAgents and ChatTopics whose interactions belong to the team."
    )
    labels: list[str] = strawberry.field(
        description="The labels that lead an interaction to the team. They count before the accounts."
    )
    created_at: datetime = strawberry.field(description="The time of the team's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the team.")
    version: int = strawberry.field(description="The number of edits of the team, from 1.")


@strawberry.type(description="A key with which programs authenticate as a user. Its secret cannot be read again.")
class ApiKey(Node):
    hidden_fields: list[str] = strawberry.field(description=HIDDEN)
    name: str = strawberry.field(description="The name of the API key: what it is used for.")
    prefix: str = strawberry.field(description="The first characters of the API key's secret, to recognise it by.")
    user: User = strawberry.field(description="The user of the API key.")
    permissions: list[PermissionName] | None = strawberry.field(
        description="The permissions that the API key is narrowed to; null when it allows all that its user may."
    )
    expires_at: datetime | None = strawberry.field(description="The time at which the API key expires; null for never.")
    revoked_at: datetime | None = strawberry.field(description="The time of the API key's revocation.")
    created_at: datetime = strawberry.field(description="The time of the API key's creation.")
    made_by: Annotated["ApiKey", strawberry.lazy("app.directory.graphql.types")] | None = strawberry.field(
        description="The API key with which this one was created. Null when it was created on the command line, and"
        " without the permission `users:manage`."
    )
    is_current: bool = strawberry.field(description="Whether this request is authenticated with the API key.")
    grants: list[Annotated["Grant", strawberry.lazy("app.directory.graphql.types")]] = strawberry.field(
        description="What the API key allows by where each permission comes from. None of it counts once the API key "
        "is revoked or has expired, and while its user is inactive."
    )


@strawberry.type(description="The caller.")
class Viewer:
    user: User = strawberry.field(description="The user of the caller.")
    permissions: list[PermissionName] = strawberry.field(
        description="The permissions of the caller, which its key may narrow and the groups of its token may extend."
    )
    api_key: ApiKey | None = strawberry.field(
        description="The API key of the request; null where an access token of an identity provider is its credential."
    )
    api_keys: Connection[ApiKey] = edge(description="The API keys of the caller's user, the newest first.", **PAGING)
    grants: list[Annotated["Grant", strawberry.lazy("app.directory.graphql.types")]] = strawberry.field(
        description="The permissions of the caller's user by where each comes from. What the credential of the request "
        "leaves of them is at `permissions`."
    )
    open_sessions: Connection[Annotated["OpenSession", strawberry.lazy("app.directory.graphql.types")]] = edge(
        description=f"The sockets and streams of events that the caller's user has open, {_SESSIONS}.", **PAGING
    )
    identities: Connection[Annotated["UserIdentity", strawberry.lazy("app.directory.graphql.types")]] = edge(
        description="The people at identity providers who sign in as the caller's user, in the order in which they "
        "were linked.",
        **PAGING,
    )


@strawberry.type(description="A person at an identity provider, who signs in as a user.")
class UserIdentity(Node):
    user: User = strawberry.field(description="The user of the identity.")
    issuer: str = strawberry.field(description="The identity provider of the identity: the claim `iss` of its tokens.")
    subject: str = strawberry.field(description="The person at the identity provider: the claim `sub` of its tokens.")
    created_at: datetime = strawberry.field(description="The time at which the identity was linked to the user.")
    first_signed_in_at: datetime | None = strawberry.field(
        description="The time of the first sign-in of the identity; null when there was none since it is noted."
    )
    signed_in_at: datetime | None = strawberry.field(
        description="The time of the latest sign-in of the identity, which is the first use of its newest token; null "
        "when there was none since it is noted."
    )
    token_ends_at: datetime | None = strawberry.field(description="The end of the newest token of the identity.")
    groups: list[str] = strawberry.field(
        description="The groups in the newest token of the identity, at most 100: those that grant something first."
    )


@strawberry.type(description="A socket or a stream of events that a user has open.")
class OpenSession(Node):
    user: User = strawberry.field(description="The user of the session.")
    transport: Transport = strawberry.field(description="The transport of the session.")
    credential: Credential = strawberry.field(description="The credential that the session was let in by.")
    api_key: ApiKey | None = strawberry.field(
        description="The API key of the session; null where an access token of an identity provider is its credential."
    )
    client: str | None = strawberry.field(
        description="The name of the session's client, as it gives it; null where it gives none."
    )
    address: str | None = strawberry.field(
        description="The network address that the session comes from; null where it is not known."
    )
    began_at: datetime = strawberry.field(description="The time at which the session began.")


@strawberry.type(description="A permission that somebody has, from one source.")
class Grant:
    permission: PermissionName | None = strawberry.field(
        description="The permission of the grant; null for all of them."
    )
    source: GrantSource = strawberry.field(description="The source of the grant.")
    narrowed_from: PermissionName | None = strawberry.field(
        description="The wider permission that the source grants, where the API key is narrowed to a form of it."
    )
    group: str | None = strawberry.field(description="The group of the grant; null for other sources.")
    identity: UserIdentity | None = strawberry.field(
        description="The identity whose newest token has the group; null for other sources."
    )
    since: datetime | None = strawberry.field(
        description="The time since which the source has granted it without a break; null when that began before it "
        "was noted."
    )
    ends_at: datetime | None = strawberry.field(
        description="The end of the newest token with the group; null for other sources. What a group grants holds for "
        "requests with a token that has it."
    )
