"""The view of the event log for an interaction's history."""

import sqlalchemy as sa

from app.storage.tables import JsonText, Timestamp

history = sa.Table(
    "interaction_history",
    # A view over the event log, so not a table of the one MetaData.
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("interaction_id", sa.BigInteger, nullable=False),
    sa.Column("at", Timestamp, nullable=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("actor_id", sa.BigInteger),
    sa.Column("client_mutation_id", sa.Text),
    sa.Column("version", sa.BigInteger),
    sa.Column("level_before", sa.BigInteger),
    sa.Column("level_after", sa.BigInteger),
    sa.Column("changes", JsonText),
    sa.Column("message_id", sa.BigInteger),
    sa.Column("note_id", sa.BigInteger),
)
