"""How conversations and channel agents lie in the tables."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

import sqlalchemy as sa

from app.directory.tables import customer, profile
from app.interactions.tables import interaction
from app.kinds.conversation.model.conversation import NAME, PREFIX, undelivered
from app.kinds.conversation.tables import channel_agent, conversation, is_unread
from app.selection.mapping import (
    Column,
    Computed,
    Env,
    Mapped,
    One,
    Order,
    Root,
    RootMany,
    Scope,
    Sql,
    TypeMap,
    by_columns,
    by_id,
    equals,
)

READ = f"{NAME}:read"

_OLDEST = {"OLDEST": Order(lambda scope: (scope.c.id,))}


def in_sync(scope: Scope) -> Sql:
    """Whether the conversation's channel agent is connected."""
    agent = channel_agent.alias("its_agent")
    return sa.select(agent.c.in_sync).where(agent.c.id == scope.c.channel_agent_id).scalar_subquery()


def blocked(scope: Scope) -> Sql:
    """Whether the profile of the conversation's customer is blocked; false without a profile."""
    whose, person = customer.alias("its_customer"), profile.alias("its_profile")
    return (
        sa.select(sa.true())
        .select_from(whose.join(person, person.c.id == whose.c.profile_id))
        .where(whose.c.id == scope.c.customer_id, person.c.blocked)
        .exists()
    )


def _unread(scope: Scope) -> Sql:
    one, common = conversation.alias("unread_one"), interaction.alias("unread_common")
    return (
        sa.select(sa.func.count())
        .select_from(common.join(one, one.c.id == common.c.id))
        .where(one.c.channel_agent_id == scope.c.id, is_unread(common))
        .scalar_subquery()
    )


def _reply_possible(
    env: Env,
    channel: str,
    connected: bool,
    reply_until: datetime | None,
    customer_interaction_required: bool,
    is_blocked: bool,
) -> bool:
    fault = undelivered(channel, connected, reply_until, customer_interaction_required, env.now)
    return fault is None and not is_blocked


MAPPINGS: tuple[Mapped, ...] = (
    TypeMap(
        "ChannelAgent",
        channel_agent,
        prefix="cha",
        fields={"unreadConversationsCount": Column(_unread)},
        requires=READ,
    ),
    TypeMap(
        "Conversation",
        conversation,
        prefix=PREFIX,
        base="Interaction",
        value=NAME,
        fields={
            "user": One("User", lambda scope: scope.c.assignee_id),
            "channelAgent": One("ChannelAgent", lambda scope: scope.c.channel_agent_id),
            "replyPossible": Computed(
                ("channel", in_sync, "reply_until", "customer_interaction_required", blocked), _reply_possible
            ),
        },
    ),
)

ROOTS: Mapping[str, Root] = MappingProxyType(
    {
        "conversation": by_columns("Conversation", requires=READ, conversation_id="conversation_id"),
        "channelAgent": by_id("ChannelAgent", "cha", requires=READ),
        "channelAgents": RootMany(
            "ChannelAgent",
            _OLDEST,
            "OLDEST",
            filters={"channel": equals(lambda scope: scope.c.channel)},
            requires=READ,
        ),
    }
)
