"""Maps conversations and channel agents to the tables."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

import sqlalchemy as sa

from app.connections.reads import CANNOT, IS_DOWN
from app.core.actor import Actor
from app.core.errors import DomainError
from app.directory.tables import customer, profile
from app.interactions.model import AnyCommand, ReplyBlock
from app.interactions.reads.filters import is_unread
from app.interactions.reads.sight import seen_of_kind
from app.interactions.reads.viewing import DOWN, viewer_can
from app.interactions.tables import interaction
from app.kinds.conversation.model.commands import VIEWER_COLUMNS, ConversationCommand, Subject, refusal, reply_block
from app.kinds.conversation.model.conversation import NAME, PREFIX, undelivered_by
from app.kinds.conversation.tables import channel_agent, conversation
from app.selection.mapping import (
    SOME,
    Column,
    Computed,
    Env,
    Mapped,
    One,
    Order,
    Permissions,
    Root,
    RootMany,
    Scope,
    Sql,
    TypeMap,
    by_columns,
    by_id,
    equals,
)

if TYPE_CHECKING:
    from app.settings import Settings

READ = f"{NAME}:read"
SEES = f"{READ}{SOME}"

_OLDEST = {"OLDEST": Order(lambda scope: (scope.c.id,))}


def _in_sync(scope: Scope) -> Sql:
    """Whether the conversation's channel agent is connected."""
    found = sa.select(channel_agent.c.in_sync).where(channel_agent.c.id == scope.c.channel_agent_id)
    return found.correlate(scope.c.channel_agent_id.table).scalar_subquery()


def _blocked(scope: Scope) -> Sql:
    """Whether the profile of the conversation's customer is blocked; false without a profile."""
    found = (
        sa.select(sa.true())
        .select_from(customer.join(profile, profile.c.id == customer.c.profile_id))
        .where(customer.c.id == scope.c.customer_id, profile.c.blocked)
    )
    return found.correlate(scope.c.customer_id.table).exists()


def _unread(permissions: Permissions, scope: Scope) -> Sql:
    """How many of the channel agent's conversations have unread messages, among those that the caller sees."""
    within = seen_of_kind(permissions, interaction, NAME)
    account = sa.literal_column("'cha_'", sa.Text).concat(sa.cast(scope.c.id, sa.Text))
    found = (
        sa.select(sa.func.count())
        .select_from(interaction)
        .where(interaction.c.account == account, is_unread(interaction))
    )
    found = found if isinstance(within, bool) else found.where(within)
    return found.correlate(scope.c.id.table).scalar_subquery()


def _refusal(
    command: AnyCommand, subject: Subject, actor: Actor, now: datetime, _settings: "Settings"
) -> DomainError | None:
    return refusal(command, subject, actor, now)


def _reply_possible(
    env: Env,
    channel: str,
    connected: bool,
    reply_until: datetime | None,
    customer_interaction_required: bool,
    is_blocked: bool,
    is_down: bool,
) -> bool:
    block = undelivered_by(channel, connected, reply_until, customer_interaction_required, env.now)
    return block is None and not is_blocked and not is_down


def _block(subject: Subject, actor: Actor, now: datetime, _settings: "Settings") -> ReplyBlock | None:
    return reply_block(subject, actor, now)


_VIEWER_COLUMNS = {name: name for name in VIEWER_COLUMNS}

MAPPINGS: tuple[Mapped, ...] = (
    TypeMap(
        "ChannelAgent",
        channel_agent,
        prefix="cha",
        fields={"unreadConversationsCount": Column(lambda scope: _unread(None, scope), seen=_unread)},
        requires=SEES,
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
                ("channel", _in_sync, "reply_until", "customer_interaction_required", _blocked, IS_DOWN),
                _reply_possible,
            ),
            "viewerCan": viewer_can(
                _refusal,
                _block,
                {**_VIEWER_COLUMNS, "in_sync": _in_sync, "blocked": _blocked, "cannot": CANNOT, DOWN: IS_DOWN},
                ConversationCommand,
            ),
        },
        requires=SEES,
    ),
)

ROOTS: Mapping[str, Root] = MappingProxyType(
    {
        "conversation": by_columns("Conversation", requires=SEES, conversation_id="conversation_id"),
        "channelAgent": by_id("ChannelAgent", "cha", requires=SEES),
        "channelAgents": RootMany(
            "ChannelAgent",
            _OLDEST,
            "OLDEST",
            filters={"channel": equals(lambda scope: scope.c.channel)},
            requires=SEES,
        ),
    }
)
