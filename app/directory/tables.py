"""The tables of users, API keys, profiles and customers."""

import sqlalchemy as sa

from app.storage.tables import BigId, JsonValue, Timestamp, surrogate_key, table

SearchWord = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Folded text that both databases compare by code point, so that a prefix is a range."""


def _edited() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("updated_at", Timestamp, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )


def _words_of(owner: sa.Table) -> sa.Table:
    """The side table that makes `owner` searchable: a row for each word, and one blank row that every search finds."""
    return sa.Table(
        f"{owner.name}_word",
        owner.metadata,
        sa.Column("owner_id", BigId, sa.ForeignKey(owner.c.id, ondelete="CASCADE"), primary_key=True),
        sa.Column("word", SearchWord, primary_key=True),
        sa.Index(f"ix_{owner.name}_word_word", "word", "owner_id"),
        sqlite_with_rowid=False,
    )


app_user = table(
    "app_user",
    surrogate_key(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("login", sa.Text, nullable=False),
    sa.Column("login_key", sa.Text, nullable=False, unique=True),
    sa.Column("full_name", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("roles", JsonValue, nullable=False),
    sa.Column("permissions", JsonValue, nullable=False),
    # A copy of the user's teams, because every request needs them.
    sa.Column("team_ids", JsonValue, nullable=False, server_default=sa.text("'[]'")),
    sa.Column("person_id", sa.BigInteger),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("present", sa.Boolean, nullable=False),
    sa.Column("presence_changed_at", Timestamp),
    sa.Column("is_service", sa.Boolean, nullable=False),
    # Since when the user has its permissions and the role of admins.
    sa.Column("granted_at", JsonValue, nullable=False, server_default=sa.text("'{}'")),
    sa.Column("sessions_ended_at", Timestamp),
    *_edited(),
)

key_pepper = table(
    "key_pepper",
    surrogate_key(),
    sa.Column("fingerprint", sa.Text, nullable=False, unique=True),
    sa.Column("is_current", sa.Boolean, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("ended_at", Timestamp),
)

api_key = table(
    "api_key",
    surrogate_key(),
    sa.Column("user_id", BigId, sa.ForeignKey("app_user.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("prefix", sa.Text, nullable=False, unique=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("permissions", JsonValue),
    sa.Column("expires_at", Timestamp),
    sa.Column("revoked_at", Timestamp),
    sa.Column("last_used_at", Timestamp),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("made_by_id", BigId, sa.ForeignKey("api_key.id", ondelete="SET NULL")),
    sa.Column("pepper_id", BigId, sa.ForeignKey("key_pepper.id")),
    sa.Index("ix_api_key_user_id", "user_id", "id"),
    sa.Index("ix_api_key_made_by_id", "made_by_id"),
)

user_identity = table(
    "user_identity",
    surrogate_key(),
    sa.Column("user_id", BigId, sa.ForeignKey("app_user.id", ondelete="CASCADE"), nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("first_signed_in_at", Timestamp),
    sa.Column("signed_in_at", Timestamp),
    sa.Column("token_ends_at", Timestamp),
    sa.Column("groups", JsonValue, nullable=False, server_default=sa.text("'{}'")),
    sa.UniqueConstraint("issuer", "subject"),
    sa.Index("ix_user_identity_user_id", "user_id", "id"),
)

open_session = sa.Table(
    "open_session",
    app_user.metadata,
    # Short leases. They have no foreign keys, so that a deleted user does not make a whole batch fail.
    sa.Column("id", BigId, primary_key=True, autoincrement=False),
    sa.Column("user_id", BigId, nullable=False),
    sa.Column("key_id", BigId),
    sa.Column("transport", sa.Text, nullable=False),
    sa.Column("credential", sa.Text, nullable=False),
    sa.Column("client", sa.Text),
    sa.Column("address", sa.Text),
    sa.Column("began_at", Timestamp, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("until", Timestamp, nullable=False),
    sa.Column("ticket_id", BigId),
    sa.Index("ix_open_session_user_id", "user_id", "id"),
    sa.Index("ix_open_session_until", "until"),
    sqlite_with_rowid=False,
)

stream_ticket = table(
    "stream_ticket",
    surrogate_key(),
    sa.Column("user_id", BigId, sa.ForeignKey("app_user.id", ondelete="CASCADE"), nullable=False),
    sa.Column("key_id", BigId, sa.ForeignKey("api_key.id", ondelete="CASCADE")),
    sa.Column("digest", sa.Text, nullable=False, unique=True),
    sa.Column("permissions", JsonValue, nullable=False),
    sa.Column("is_admin", sa.Boolean, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("begins_before", Timestamp, nullable=False),
    sa.Column("ends_at", Timestamp, nullable=False),
    sa.Column("request", sa.Text),
    sa.Column("team_ids", JsonValue, nullable=False, server_default=sa.text("'[]'")),
    sa.Index("ix_stream_ticket_user_id", "user_id"),
    sa.Index("ix_stream_ticket_key_id", "key_id"),
    sa.Index("ix_stream_ticket_ends_at", "ends_at"),
)

team = table(
    "team",
    surrogate_key(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("name_key", sa.Text, nullable=False, unique=True),
    # A copy of the borders, as they were given.
    sa.Column("account_ids", JsonValue, nullable=False),
    sa.Column("labels", JsonValue, nullable=False),
    *_edited(),
)

team_member = sa.Table(
    "team_member",
    team.metadata,
    sa.Column("team_id", BigId, sa.ForeignKey("team.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("user_id", BigId, sa.ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True),
    sa.Index("ix_team_member_user", "user_id", "team_id"),
    sqlite_with_rowid=False,
)

team_border = sa.Table(
    "team_border",
    team.metadata,
    # A border leads to one team only, so the team of an interaction is never ambiguous.
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("team_id", BigId, sa.ForeignKey("team.id", ondelete="CASCADE"), nullable=False, index=True),
    sqlite_with_rowid=False,
)

bootstrap_key = table(
    "bootstrap_key",
    sa.Column("fingerprint", sa.Text, primary_key=True),
    sa.Column("api_key_id", BigId, sa.ForeignKey("api_key.id"), nullable=False),
)

directory_secret = table(
    "directory_secret",
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

profile = table(
    "profile",
    surrogate_key(),
    sa.Column("salutation", sa.Text),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("gender", sa.Text, nullable=False),
    sa.Column("blocked", sa.Boolean, nullable=False),
    sa.Column("date_of_birth", sa.Text),
    sa.Column("phone_number", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("address", sa.Text),
    sa.Column("custom_1", sa.Text),
    sa.Column("custom_2", sa.Text),
    sa.Column("custom_3", sa.Text),
    sa.Column("custom_4", sa.Text),
    sa.Column("custom_5", sa.Text),
    *_edited(),
)

customer = table(
    "customer",
    surrogate_key(),
    sa.Column("customer_key", sa.Text, nullable=False, unique=True),
    sa.Column("system", sa.Text, nullable=False),
    sa.Column("channel", sa.Text),
    sa.Column("display_id", sa.Text),
    sa.Column("name", sa.Text),
    sa.Column("phone_number", sa.Text),
    sa.Column("unconfirmed_phone_number", sa.Text),
    sa.Column("country_code", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("first_name", sa.Text),
    sa.Column("last_name", sa.Text),
    sa.Column("time_zone", sa.Text),
    sa.Column("tags", JsonValue, nullable=False),
    sa.Column("shipping_rate", sa.Integer),
    sa.Column("unsubscribed", sa.Boolean, nullable=False),
    sa.Column("billing_address", JsonValue),
    sa.Column("shipping_address", JsonValue),
    sa.Column("card", JsonValue),
    sa.Column("company_name", sa.Text),
    sa.Column("confirmed_at", Timestamp),
    sa.Column("profile_id", BigId, sa.ForeignKey("profile.id", ondelete="SET NULL")),
    *_edited(),
    sa.Index("ix_customer_profile_id", "profile_id", "id"),
    sa.Index("ix_customer_system", "system", "id"),
    sa.UniqueConstraint("system", "channel", "display_id"),
    # A unique constraint allows repeated NULLs, and customers of most systems have no channel.
    sa.Index(
        "uq_customer_display_id",
        "system",
        "display_id",
        unique=True,
        sqlite_where=sa.text("channel IS NULL"),
        postgresql_where=sa.text("channel IS NULL"),
    ),
    sa.Index(
        "uq_customer_phone_number",
        "phone_number",
        unique=True,
        sqlite_where=sa.text("system = 'SESSION'"),
        postgresql_where=sa.text("system = 'SESSION'"),
    ),
)

app_user_word = _words_of(app_user)
profile_word = _words_of(profile)
customer_word = _words_of(customer)
