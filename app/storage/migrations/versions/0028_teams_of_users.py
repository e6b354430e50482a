"""The teams of a user beside the user, as every request has to know them."""

import sqlalchemy as sa
from alembic import op

from app.storage.tables import JsonValue

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("app_user", sa.Column("team_ids", JsonValue, nullable=False, server_default=sa.text("'[]'")))
    member = sa.table("team_member", sa.column("team_id"), sa.column("user_id"))
    user = sa.table("app_user", sa.column("id"), sa.column("team_ids", JsonValue))
    teams: dict[int, list[int]] = {}
    connection = op.get_bind()
    for team_id, user_id in connection.execute(
        sa.select(member.c.team_id, member.c.user_id).order_by(member.c.team_id)
    ):
        teams.setdefault(user_id, []).append(team_id)
    for user_id, held in teams.items():
        connection.execute(sa.update(user).where(user.c.id == user_id).values(team_ids=held))


def downgrade() -> None:
    op.drop_column("app_user", "team_ids")
