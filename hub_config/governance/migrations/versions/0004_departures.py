"""Who worked in a project once: what they were shown there is remembered wherever they go on."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "departures",
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project"],
            ["projects.slug"],
            name=op.f("fk_departures_project_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project", "username", name=op.f("pk_departures")),
    )
    op.create_index(op.f("ix_departures_username"), "departures", ["username"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_departures_username"), table_name="departures")
    op.drop_table("departures")
