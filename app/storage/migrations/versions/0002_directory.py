"""Users, API keys, profiles, customers, and the answers to idempotency keys."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import BigId, JsonValue, Timestamp, surrogate_key

revision = "0002"
down_revision = "0001"

SEARCHABLE = ("app_user", "profile", "customer")


def edited() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("updated_at", Timestamp, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )


def upgrade() -> None:
    _users()
    _customers()
    for owner in SEARCHABLE:
        _words_of(owner)
    op.create_table(
        "idempotency_key",
        sa.Column("actor_id", BigId, primary_key=True, autoincrement=False),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request_hash", sa.Text, nullable=False),
        sa.Column("result", JsonValue),
        sa.Column("created_at", Timestamp, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_idempotency_key_created_at", "idempotency_key", ["created_at"])


def _users() -> None:
    op.create_table(
        "app_user",
        surrogate_key(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("login_key", sa.Text, nullable=False),
        sa.Column("full_name", sa.Text),
        sa.Column("email", sa.Text),
        sa.Column("roles", JsonValue, nullable=False),
        sa.Column("permissions", JsonValue, nullable=False),
        sa.Column("person_id", sa.BigInteger),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("present", sa.Boolean, nullable=False),
        sa.Column("presence_changed_at", Timestamp),
        sa.Column("is_service", sa.Boolean, nullable=False),
        *edited(),
        sa.UniqueConstraint("login_key", name="uq_app_user_login_key"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "api_key",
        surrogate_key(),
        sa.Column("user_id", BigId, sa.ForeignKey("app_user.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("permissions", JsonValue),
        sa.Column("expires_at", Timestamp),
        sa.Column("revoked_at", Timestamp),
        sa.Column("last_used_at", Timestamp),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.UniqueConstraint("prefix", name="uq_api_key_prefix"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_api_key_user_id", "api_key", ["user_id", "id"])
    op.create_table(
        "directory_secret",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )


def _customers() -> None:
    op.create_table(
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
        *(sa.Column(f"custom_{number}", sa.Text) for number in range(1, 6)),
        *edited(),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "customer",
        surrogate_key(),
        sa.Column("customer_key", sa.Text, nullable=False),
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
        *edited(),
        sa.UniqueConstraint("customer_key", name="uq_customer_customer_key"),
        sa.UniqueConstraint("system", "channel", "display_id", name="uq_customer_system_channel_display_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_customer_profile_id", "customer", ["profile_id", "id"])
    op.create_index("ix_customer_system", "customer", ["system", "id"])
    _unique_where("uq_customer_display_id", ["system", "display_id"], "channel IS NULL")
    _unique_where("uq_customer_phone_number", ["phone_number"], "system = 'SESSION'")


def _unique_where(name: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(name, "customer", columns, unique=True, sqlite_where=condition, postgresql_where=condition)


def _words_of(owner: str) -> None:
    op.create_table(
        f"{owner}_word",
        sa.Column("owner_id", BigId, sa.ForeignKey(f"{owner}.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("word", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index(f"ix_{owner}_word_word", f"{owner}_word", ["word", "owner_id"])


def downgrade() -> None:
    op.drop_table("idempotency_key")
    for owner in SEARCHABLE:
        op.drop_table(f"{owner}_word")
    for name in ("customer", "profile", "directory_secret", "api_key", "app_user"):
        op.drop_table(name)
