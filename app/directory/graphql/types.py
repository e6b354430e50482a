"""The types of users, their credentials and their teams in the graph."""

from datetime import datetime
from typing import Annotated

import strawberry

from app.core.sessions import Credential, Transport
from app.directory.graphql.enums import PermissionName, TopicName
from app.directory.graphql.hidden import HIDDEN, MANAGED, READ
from app.directory.graphql.history import NEWEST_ENTRIES, FieldChange, HistoryOrder
from app.directory.model import UserType
from app.directory.model.grant import GrantSource
from app.directory.model.refusal import RefusalReason
from app.graph.enums import described
from app.graph.fields import PAGING, Connection, Node, argument, edge

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
_ENTRIES = (
    "what changed it, its keys, identities, teams and sessions, its sign-ins, and what was refused to it, for as long "
    "as events are kept"
)
_SESSIONS = "in all processes, newest first. A session appears a second after it began"

described(
    Transport,
    "How a session is connected.",
    {"WEB_SOCKET": "A WebSocket.", "EVENT_STREAM": "A stream of Server-Sent Events."},
)
described(
    Credential,
    "The type of a session's credential.",
    {
        "API_KEY": "An API key, or an access token that was issued for one.",
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
        "GROUP": "A group of an identity provider grants it, by the provider's setting.",
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
    type: UserType = strawberry.field(description="The type of the user's login.")
    active: bool = strawberry.field(description="Whether the keys of the user are accepted.")
    is_service: bool = strawberry.field(description="Whether the user is a program.")
    presence: Presence = strawberry.field(description="The presence of the user.")
    created_at: datetime = strawberry.field(description="The time of the user's creation.")
    updated_at: datetime = strawberry.field(description="The time of the latest edit of the user.")
    version: int = strawberry.field(description="The number of edits of the user, from 1.")
    grants: list[Annotated["Grant", strawberry.lazy("app.directory.graphql.types")]] | None = strawberry.field(
        description="The permissions of the user, each with its source: first its own, then those that the groups of "
        f"its identities grant. They have no effect while the user is inactive. {MANAGED}"
    )
    identities: Connection[Annotated["UserIdentity", strawberry.lazy("app.directory.graphql.types")]] | None = edge(
        description="The people at identity providers who sign in as the user, in the order in which they were linked. "
        f"{MANAGED}",
        **PAGING,
    )
    sessions_ended_at: datetime | None = strawberry.field(
        description="Access tokens and tickets of the user from before this time are refused. Null when its sessions "
        "were never ended, and without the permission `users:manage`."
    )
    open_sessions: Connection[Annotated["OpenSession", strawberry.lazy("app.directory.graphql.types")]] | None = edge(
        description=f"The open sockets and event streams of the user {_SESSIONS}. {MANAGED}", **PAGING
    )
    api_keys: Connection[Annotated["ApiKey", strawberry.lazy("app.directory.graphql.types")]] | None = edge(
        description="The API keys of the user, newest first. Null without the permission `users:manage`; the "
        "caller's own keys are at `viewer`.",
        **PAGING,
    )

    history: Connection[Annotated["UserHistoryEntry", strawberry.lazy("app.directory.graphql.types")]] | None = edge(
        description=f"The history of the user: {_ENTRIES}. {MANAGED}",
        order_by=argument(HistoryOrder | None, "The order of the entries.", NEWEST_ENTRIES),
        **PAGING,
    )
    teams: Connection[Annotated["Team", strawberry.lazy("app.directory.graphql.types")]] = edge(
        description="The teams of the user, in the order in which they were created.", **PAGING
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
        description="The labels whose interactions belong to the team. They count before the accounts."
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
        description="The permissions that the API key is narrowed to; null when it has all permissions of its user."
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
        description="The permissions of the API key, each with its source. They have no effect once the API key is "
        "revoked or has expired, and while its user is inactive."
    )


@strawberry.type(description="The caller.")
class Viewer:
    user: User = strawberry.field(description="The user of the caller.")
    permissions: list[PermissionName] = strawberry.field(
        description="The permissions of the caller, which its key may narrow and the groups of its token may extend."
    )
    api_key: ApiKey | None = strawberry.field(
        description="The API key of the request; null when its credential is an access token of an identity provider."
    )
    api_keys: Connection[ApiKey] = edge(description="The API keys of the caller's user, the newest first.", **PAGING)
    grants: list[Annotated["Grant", strawberry.lazy("app.directory.graphql.types")]] = strawberry.field(
        description="The permissions of the caller's user, each with its source. The credential of the request may "
        "narrow them: see `permissions`."
    )
    open_sessions: Connection[Annotated["OpenSession", strawberry.lazy("app.directory.graphql.types")]] = edge(
        description=f"The open sockets and event streams of the caller's user {_SESSIONS}.", **PAGING
    )
    identities: Connection[Annotated["UserIdentity", strawberry.lazy("app.directory.graphql.types")]] = edge(
        description="The people at identity providers who sign in as the caller's user, in the order in which they "
        "were linked.",
        **PAGING,
    )
    history: Connection[Annotated["UserHistoryEntry", strawberry.lazy("app.directory.graphql.types")]] = edge(
        description=f"The history of the caller's user: {_ENTRIES}.",
        order_by=argument(HistoryOrder | None, "The order of the entries.", NEWEST_ENTRIES),
        **PAGING,
    )


@strawberry.type(description="A person at an identity provider, who signs in as a user.")
class UserIdentity(Node):
    user: User = strawberry.field(description="The user of the identity.")
    issuer: str = strawberry.field(description="The identity provider of the identity: the claim `iss` of its tokens.")
    subject: str = strawberry.field(description="The person at the identity provider: the claim `sub` of its tokens.")
    created_at: datetime = strawberry.field(description="The time at which the identity was linked to the user.")
    first_signed_in_at: datetime | None = strawberry.field(
        description="The time of the identity's first sign-in; null when there was none since sign-ins are recorded."
    )
    signed_in_at: datetime | None = strawberry.field(
        description="The time of the identity's latest sign-in: the first use of its newest token. Null when there "
        "was none since sign-ins are recorded."
    )
    token_ends_at: datetime | None = strawberry.field(description="The end of the newest token of the identity.")
    groups: list[str] = strawberry.field(
        description=(
            "The groups in the newest token of the identity, at most 100. Groups that grant something come first."
        )
    )


@strawberry.type(description="A socket or a stream of events that a user has open.")
class OpenSession(Node):
    user: User = strawberry.field(description="The user of the session.")
    transport: Transport = strawberry.field(description="The transport of the session.")
    credential: Credential = strawberry.field(description="The credential of the session.")
    api_key: ApiKey | None = strawberry.field(
        description="The API key of the session; null when its credential is an access token of an identity provider."
    )
    client: str | None = strawberry.field(
        description="The name that the session's client gives itself; null when it gives none."
    )
    address: str | None = strawberry.field(
        description="The network address of the session's client; null when unknown."
    )
    began_at: datetime = strawberry.field(description="The time at which the session began.")


@strawberry.type(description="A permission that somebody has, from one source.")
class Grant:
    permission: PermissionName | None = strawberry.field(
        description="The permission of the grant; null for all permissions."
    )
    source: GrantSource = strawberry.field(description="The source of the grant.")
    narrowed_from: PermissionName | None = strawberry.field(
        description="The wider permission of the source, if the API key is narrowed to a form of it."
    )
    group: str | None = strawberry.field(description="The group of the grant; null for other sources.")
    identity: UserIdentity | None = strawberry.field(
        description="The identity whose newest token has the group; null for other sources."
    )
    since: datetime | None = strawberry.field(
        description="The time since which the source has granted it without a break; null when that is older than "
        "the records."
    )
    ends_at: datetime | None = strawberry.field(
        description="The end of the newest token with the group; null for other sources. A group's permission only "
        "applies to requests with a token that names the group."
    )


@strawberry.type(description="Something that happened to a user, or that was refused to it.")
class UserHistoryEntry:
    id: strawberry.ID = strawberry.field(description="The id of the entry. Its event in the log has the same id.")
    at: datetime = strawberry.field(
        description="The time of the entry. Refusals are written once a minute, after they happened."
    )
    topic: TopicName = strawberry.field(description="The topic of the entry.")
    actor: User | None = strawberry.field(description="The user who did it; null when no user did.")
    client_mutation_id: str | None = strawberry.field(description="The `clientMutationId` of the mutation that did it.")
    version: int | None = strawberry.field(description="The version of the user after the entry.")
    changes: list[FieldChange] = strawberry.field(
        description="The changed fields of the entry. Roles and permissions are separated by spaces."
    )
    api_key: ApiKey | None = strawberry.field(
        description="The API key of the entry: of refusals, the latest that was used."
    )
    identity: UserIdentity | None = strawberry.field(description="The identity of the entry, while it is linked.")
    issuer: str | None = strawberry.field(description="The identity provider of the entry.")
    team: Team | None = strawberry.field(description="The team of the entry, while it exists.")
    reason: RefusalReason | None = strawberry.field(description="The reason of a refusal; null for other entries.")
    permission: PermissionName | None = strawberry.field(
        description="The permission that was missing, where a refusal was because of one."
    )
    times: int | None = strawberry.field(
        description="The number of refusals that the entry stands for; null for other entries."
    )
