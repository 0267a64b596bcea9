"""What a requester explains of a finding, and in which role a reviewer voted."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    with op.batch_alter_table("release_files") as table:
        table.add_column(sa.Column("explanations", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("release_reviews") as table:
        table.add_column(sa.Column("role", sa.String(length=24), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("release_reviews") as table:
        table.drop_column("role")
    with op.batch_alter_table("release_files") as table:
        table.drop_column("explanations")
