"""Tables of the rights: receipts of objections, practices, requests under the GDPR, files that come in."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "entries",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("requester", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_by", sa.String(length=64), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind <> 'table' OR state <> 'accepted' OR looked_by IS NOT NULL", name=op.f("ck_entries_looked")
        ),
        sa.CheckConstraint(
            "kind IN ('code-list', 'table', 'notebook', 'script')", name=op.f("ck_entries_kind")
        ),
        sa.CheckConstraint("state IN ('submitted', 'accepted', 'refused')", name=op.f("ck_entries_state")),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_entries_name")),
        sa.CheckConstraint("length(purpose) > 0", name=op.f("ck_entries_purpose")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_entries_sha256")),
        sa.CheckConstraint("looked_by IS NULL OR looked_by <> requester", name=op.f("ck_entries_own")),
        sa.CheckConstraint("size >= 0", name=op.f("ck_entries_size")),
        sa.ForeignKeyConstraint(["project"], ["projects.slug"], name=op.f("fk_entries_project_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
    )
    op.create_index(op.f("ix_entries_project"), "entries", ["project"], unique=False)
    op.create_table(
        "objection_receipts",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("objection", sa.Integer(), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("recorded_by", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("new", sa.Boolean(), nullable=False),
        sa.CheckConstraint("subject IN ('patient', 'physician')", name=op.f("ck_objection_receipts_subject")),
        sa.CheckConstraint(
            "effective_at IS NULL OR effective_at >= recorded_at",
            name=op.f("ck_objection_receipts_effective"),
        ),
        sa.CheckConstraint("length(event) = 64", name=op.f("ck_objection_receipts_event")),
        sa.ForeignKeyConstraint(
            ["objection"], ["objections.id"], name=op.f("fk_objection_receipts_objection_objections")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection_receipts")),
    )
    op.create_index(
        op.f("ix_objection_receipts_objection"), "objection_receipts", ["objection"], unique=False
    )
    op.create_index(
        op.f("ix_objection_receipts_recorded_at"), "objection_receipts", ["recorded_at"], unique=False
    )
    op.create_table(
        "practices",
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("software", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("entered_on", sa.Date(), nullable=False),
        sa.Column("software_since", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.Column("receipt", sa.String(length=16), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("(state = 'left') = (left_on IS NOT NULL)", name=op.f("ck_practices_left")),
        sa.CheckConstraint("state IN ('active', 'left')", name=op.f("ck_practices_state")),
        sa.CheckConstraint("left_on IS NULL OR left_on >= entered_on", name=op.f("ck_practices_order")),
        sa.CheckConstraint("length(reference) > 0", name=op.f("ck_practices_reference")),
        sa.CheckConstraint("software_since >= entered_on", name=op.f("ck_practices_software")),
        sa.ForeignKeyConstraint(
            ["receipt"], ["objection_receipts.id"], name=op.f("fk_practices_receipt_objection_receipts")
        ),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_practices")),
    )
    op.create_table(
        "rights_requests",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("assigned_to", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("receipt", sa.String(length=16), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('answered', 'refused', 'withdrawn')) = (closed_on IS NOT NULL)",
            name=op.f("ck_rights_requests_closed"),
        ),
        sa.CheckConstraint(
            "kind IN ('access', 'rectification', 'limitation', 'objection')",
            name=op.f("ck_rights_requests_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('received', 'in-hand', 'extended', 'answered', 'refused', 'withdrawn')",
            name=op.f("ck_rights_requests_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('extended', 'refused') OR length(reason) > 0",
            name=op.f("ck_rights_requests_reason"),
        ),
        sa.CheckConstraint("due_on > received_on", name=op.f("ck_rights_requests_due")),
        sa.ForeignKeyConstraint(
            ["receipt"], ["objection_receipts.id"], name=op.f("fk_rights_requests_receipt_objection_receipts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rights_requests")),
    )
    op.create_index(op.f("ix_rights_requests_due_on"), "rights_requests", ["due_on"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_rights_requests_due_on"), table_name="rights_requests")
    op.drop_table("rights_requests")
    op.drop_table("practices")
    op.drop_index(op.f("ix_objection_receipts_recorded_at"), table_name="objection_receipts")
    op.drop_index(op.f("ix_objection_receipts_objection"), table_name="objection_receipts")
    op.drop_table("objection_receipts")
    op.drop_index(op.f("ix_entries_project"), table_name="entries")
    op.drop_table("entries")
