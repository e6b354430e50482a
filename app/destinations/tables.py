"""The tables of destinations; private to the repository and the reads."""

import sqlalchemy as sa

from app.storage.tables import BigId, JsonValue, Timestamp, surrogate_key, table

_DUE = sa.text("due_at IS NOT NULL")
_ERASABLE = sa.text("behind")
_WITH_EXCERPT = sa.text("excerpt IS NOT NULL")

destination = table(
    "destination",
    surrogate_key(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("owner_id", BigId, sa.ForeignKey("app_user.id"), nullable=False),
    sa.Column("permissions", JsonValue),
    # A destination without a document gets the alerts of policies.
    sa.Column("document", sa.Text),
    sa.Column("operation_name", sa.Text),
    sa.Column("variables", JsonValue, nullable=False),
    sa.Column("most_in_flight", sa.Integer, nullable=False),
    # Both are sealed.
    sa.Column("secret", sa.Text),
    sa.Column("former_secret", sa.Text),
    sa.Column("former_until", Timestamp),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("message", sa.Text),
    sa.Column("state_changed_at", Timestamp, nullable=False),
    sa.Column("failing_since", Timestamp),
    sa.Column("delivered_at", Timestamp),
    sa.Column("cursor", sa.Text, nullable=False),
    # Counts replays: deliveries of earlier runs do not count.
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    # The process that delivers to it, as long as that lives.
    sa.Column("holder", sa.Text),
)

delivery = table(
    "delivery",
    surrogate_key(),
    # No foreign key: deliveries outlive a deleted destination until their retention ends.
    sa.Column("destination_id", BigId, nullable=False),
    sa.Column("run", sa.Integer, nullable=False),
    # The position of the event in the log; null for a test.
    sa.Column("lane", sa.Integer),
    sa.Column("position", BigId),
    sa.Column("webhook_id", sa.Text, nullable=False),
    sa.Column("topic", sa.Text),
    sa.Column("interaction_id", BigId),
    # The policy that caused it.
    sa.Column("policy_id", BigId),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("first_attempt_at", Timestamp, nullable=False),
    sa.Column("attempted_at", Timestamp, nullable=False),
    sa.Column("next_attempt_at", Timestamp),
    sa.Column("latency_ms", sa.Integer, nullable=False),
    sa.Column("http_status", sa.Integer),
    sa.Column("fault", sa.Text),
    sa.Column("excerpt", sa.Text),
    # The destination's cursor has passed it, so nothing asks for it again.
    sa.Column("behind", sa.Boolean, nullable=False),
    sa.Index("uq_delivery_place", "destination_id", "run", "lane", "position", unique=True),
    sa.Index("ix_delivery_destination_id", "destination_id", "id"),
    sa.Index("ix_delivery_erasable", "attempted_at", sqlite_where=_ERASABLE, postgresql_where=_ERASABLE),
    sa.Index("ix_delivery_excerpt", "interaction_id", sqlite_where=_WITH_EXCERPT, postgresql_where=_WITH_EXCERPT),
)

policy = table(
    "policy",
    surrogate_key(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("kinds", JsonValue),
    sa.Column("levels", JsonValue),
    sa.Column("reasons", JsonValue),
    sa.Column("team_ids", JsonValue),
    sa.Column("destination_ids", JsonValue, nullable=False),
    sa.Column("after_minutes", sa.Integer, nullable=False),
    sa.Column("again_minutes", sa.Integer),
    sa.Column("quiet_from", sa.Text),
    sa.Column("quiet_to", sa.Text),
    sa.Column("time_zone", sa.Text, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
)

alert = table(
    "alert",
    surrogate_key(),
    # No foreign keys: OVER is sent even when the policy or the interaction is deleted.
    sa.Column("policy_id", BigId, nullable=False),
    sa.Column("interaction_id", BigId, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("told", sa.Integer, nullable=False),
    sa.Column("told_to", JsonValue, nullable=False),
    sa.Column("level", sa.SmallInteger),
    sa.Column("team_id", BigId, nullable=False),
    sa.Column("due_at", Timestamp),
    sa.Index("uq_alert_of", "interaction_id", "policy_id", unique=True),
    sa.Index("ix_alert_policy_id", "policy_id"),
    sa.Index("ix_alert_due", "due_at", sqlite_where=_DUE, postgresql_where=_DUE),
)

# One row: how far the log has been read for policies, and how far a sweep of waiting interactions has come.
alerting = sa.Table(
    "alerting",
    destination.metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("cursor", sa.Text, nullable=False),
    sa.Column("sweep_after", BigId),
)
