"""Projects, their grants and members, and objections."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "objections",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("patient_no", sa.Integer(), nullable=True),
        sa.Column("physician_no", sa.Integer(), nullable=True),
        sa.Column("recorded_on", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "(patient_no IS NULL) <> (physician_no IS NULL)", name=op.f("ck_objections_exactly_one")
        ),
        sa.CheckConstraint("coalesce(patient_no, physician_no) >= 0", name=op.f("ck_objections_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objections")),
        sa.UniqueConstraint("patient_no", name=op.f("uq_objections_patient_no")),
        sa.UniqueConstraint("physician_no", name=op.f("uq_objections_physician_no")),
    )
    op.create_table(
        "projects",
        sa.Column("slug", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("snapshot", sa.Integer(), nullable=False),
        sa.Column("open_to_all", sa.Boolean(), nullable=False),
        sa.Column("min_patients", sa.Integer(), nullable=True),
        sa.Column("min_physicians", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'approved', 'suspended', 'closed')", name=op.f("ck_projects_status")
        ),
        sa.CheckConstraint("length(purpose) > 0", name=op.f("ck_projects_purpose")),
        sa.CheckConstraint("length(slug) >= 3 AND slug = lower(slug)", name=op.f("ck_projects_slug")),
        sa.CheckConstraint("length(title) > 0", name=op.f("ck_projects_title")),
        sa.CheckConstraint(
            "min_patients IS NULL OR min_patients >= 11", name=op.f("ck_projects_min_patients")
        ),
        sa.CheckConstraint(
            "min_physicians IS NULL OR min_physicians >= 3", name=op.f("ck_projects_min_physicians")
        ),
        sa.CheckConstraint("snapshot > 0", name=op.f("ck_projects_snapshot")),
        sa.PrimaryKeyConstraint("slug", name=op.f("pk_projects")),
    )
    op.create_table(
        "grants",
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("access", sa.String(length=16), nullable=False),
        sa.Column("tables", sa.JSON(), nullable=False),
        sa.Column("centres", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("date_from", sa.Date(), nullable=True),
        sa.Column("date_to", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("legal_basis", sa.String(length=200), nullable=False),
        sa.Column("snds", sa.Boolean(), nullable=False),
        sa.CheckConstraint("access IN ('aggregate', 'microdata', 'sandbox')", name=op.f("ck_grants_access")),
        sa.CheckConstraint(
            "date_from IS NULL OR date_to IS NULL OR date_from <= date_to", name=op.f("ck_grants_dates")
        ),
        sa.CheckConstraint("length(legal_basis) > 0", name=op.f("ck_grants_legal_basis")),
        sa.ForeignKeyConstraint(
            ["project"], ["projects.slug"], name=op.f("fk_grants_project_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_grants")),
    )
    op.create_table(
        "members",
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "role IN ('interne', 'chercheur', 'medecin-dim', 'medecin-referent', 'dmg')",
            name=op.f("ck_members_role"),
        ),
        sa.CheckConstraint(
            "length(username) > 0 AND username = lower(username)", name=op.f("ck_members_username")
        ),
        sa.ForeignKeyConstraint(
            ["project"], ["projects.slug"], name=op.f("fk_members_project_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project", "username", name=op.f("pk_members")),
    )
    op.create_index(op.f("ix_members_username"), "members", ["username"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_members_username"), table_name="members")
    op.drop_table("members")
    op.drop_table("grants")
    op.drop_table("projects")
    op.drop_table("objections")
