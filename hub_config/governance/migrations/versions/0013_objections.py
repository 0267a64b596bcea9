"""Objections say in which numbering they hold, how far they reach, and that they were lifted; and who was
asked to erase what they held of an objector's rows.

Those recorded before hold in every numbering: which one was meant is not known, and a person who objected
must not become visible again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

_NUMBERS = ("patient_no", "physician_no")


def upgrade() -> None:
    with op.batch_alter_table("objections") as table:
        table.add_column(sa.Column("numbering", sa.String(length=200), nullable=False, server_default="*"))
        table.add_column(sa.Column("scope", sa.String(length=16), nullable=False, server_default="all"))
        table.add_column(sa.Column("lifted_on", sa.Date(), nullable=True))
        table.add_column(sa.Column("lifted_why", sa.Text(), nullable=False, server_default=""))
        for number in _NUMBERS:
            table.drop_constraint(op.f(f"uq_objections_{number}"), type_="unique")
    with op.batch_alter_table("objections") as table:
        for name in ("numbering", "scope", "lifted_why"):
            table.alter_column(name, server_default=None)
        table.create_check_constraint(op.f("ck_objections_numbering"), "length(numbering) > 0")
        table.create_check_constraint(op.f("ck_objections_scope"), "scope IN ('all', 'future')")
        table.create_check_constraint(op.f("ck_objections_lifted"), "(lifted_on IS NULL) = (lifted_why = '')")
        table.create_check_constraint(
            op.f("ck_objections_order"), "lifted_on IS NULL OR lifted_on >= recorded_on"
        )
    alive = sa.text("lifted_on IS NULL")
    for number in _NUMBERS:
        op.create_index(
            op.f(f"ix_objections_{number}"),
            "objections",
            ["numbering", number],
            unique=True,
            sqlite_where=alive,
            postgresql_where=alive,
        )
    with op.batch_alter_table("objection_receipts") as table:
        table.add_column(sa.Column("scope", sa.String(length=16), nullable=False, server_default="all"))
    with op.batch_alter_table("objection_receipts") as table:
        table.alter_column("scope", server_default=None)
        table.create_check_constraint(op.f("ck_objection_receipts_scope"), "scope IN ('all', 'future')")
    op.create_table(
        "erasures",
        sa.Column("receipt", sa.String(length=16), nullable=False),
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_by", sa.String(length=64), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(done_by IS NULL) = (done_at IS NULL)", name=op.f("ck_erasures_done")),
        sa.CheckConstraint("done_at IS NULL OR done_at >= asked_at", name=op.f("ck_erasures_order")),
        sa.ForeignKeyConstraint(["project"], ["projects.slug"], name=op.f("fk_erasures_project_projects")),
        sa.ForeignKeyConstraint(
            ["receipt"], ["objection_receipts.id"], name=op.f("fk_erasures_receipt_objection_receipts")
        ),
        sa.PrimaryKeyConstraint("receipt", "project", "username", name=op.f("pk_erasures")),
    )
    op.create_index(op.f("ix_erasures_username"), "erasures", ["username"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_erasures_username"), table_name="erasures")
    op.drop_table("erasures")
    with op.batch_alter_table("objection_receipts") as table:
        table.drop_constraint(op.f("ck_objection_receipts_scope"), type_="check")
        table.drop_column("scope")
    for number in _NUMBERS:
        op.drop_index(op.f(f"ix_objections_{number}"), table_name="objections")
    op.execute("DELETE FROM objections WHERE lifted_on IS NOT NULL")
    with op.batch_alter_table("objections") as table:
        for name in ("order", "lifted", "scope", "numbering"):
            table.drop_constraint(op.f(f"ck_objections_{name}"), type_="check")
        for name in ("lifted_why", "lifted_on", "scope", "numbering"):
            table.drop_column(name)
        for number in _NUMBERS:
            table.create_unique_constraint(op.f(f"uq_objections_{number}"), [number])
