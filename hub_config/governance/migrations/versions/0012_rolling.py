"""A project may follow the snapshots of one population instead of staying on one."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    with op.batch_alter_table("projects") as table:
        table.add_column(sa.Column("rolling", sa.String(length=200), nullable=True))
        table.create_check_constraint(op.f("ck_projects_rolling"), "rolling IS NULL OR length(rolling) > 0")


def downgrade() -> None:
    with op.batch_alter_table("projects") as table:
        table.drop_constraint(op.f("ck_projects_rolling"), type_="check")
        table.drop_column("rolling")
