"""The register of persons: what in the warehouse is a person's own."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "persons",
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("standing", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "length(username) > 0 AND username = lower(username)", name=op.f("ck_persons_username")
        ),
        sa.CheckConstraint("length(source) > 0", name=op.f("ck_persons_source")),
        sa.CheckConstraint(
            "standing IN ('intern', 'physician', 'trainer')", name=op.f("ck_persons_standing")
        ),
        sa.CheckConstraint("number >= 0", name=op.f("ck_persons_number")),
        sa.PrimaryKeyConstraint("username", "source", name=op.f("pk_persons")),
        sa.UniqueConstraint("source", "standing", "number", name=op.f("uq_persons_source")),
    )


def downgrade() -> None:
    op.drop_table("persons")
