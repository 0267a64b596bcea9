"""What noisy answers cost, and who saw them."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "noise_charges",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("snapshot", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("micro_epsilon", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("charged_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("micro_epsilon > 0", name=op.f("ck_noise_charges_micro_epsilon")),
        sa.CheckConstraint("snapshot > 0", name=op.f("ck_noise_charges_snapshot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_noise_charges")),
    )
    op.create_index(op.f("ix_noise_charges_project"), "noise_charges", ["project", "snapshot"], unique=False)
    op.create_table(
        "noise_witnesses",
        sa.Column("charge", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["charge"],
            ["noise_charges.id"],
            name=op.f("fk_noise_witnesses_charge_noise_charges"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("charge", "username", name=op.f("pk_noise_witnesses")),
    )
    op.create_index(op.f("ix_noise_witnesses_username"), "noise_witnesses", ["username"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_noise_witnesses_username"), table_name="noise_witnesses")
    op.drop_table("noise_witnesses")
    op.drop_index(op.f("ix_noise_charges_project"), table_name="noise_charges")
    op.drop_table("noise_charges")
