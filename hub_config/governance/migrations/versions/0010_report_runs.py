"""Tables of finished runs of reports: what ran, and the SHA-256 of what was kept."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "report_runs",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("template", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.String(length=64), nullable=False),
        sa.Column("access", sa.String(length=16), nullable=False),
        sa.Column("snapshot", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("requests", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint(
            "access IN ('aggregate', 'microdata', 'sandbox')", name=op.f("ck_report_runs_access")
        ),
        sa.CheckConstraint("ended_at >= began_at", name=op.f("ck_report_runs_order")),
        sa.CheckConstraint("length(id) = 12", name=op.f("ck_report_runs_id")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_report_runs_sha256")),
        sa.CheckConstraint("length(template) > 0", name=op.f("ck_report_runs_template")),
        sa.CheckConstraint(
            "outcome IN ('done', 'cell-failed', 'timed-out', 'given-up', 'broke', 'not-started')",
            name=op.f("ck_report_runs_outcome"),
        ),
        sa.CheckConstraint("snapshot > 0", name=op.f("ck_report_runs_snapshot")),
        sa.ForeignKeyConstraint(["project"], ["projects.slug"], name=op.f("fk_report_runs_project_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_runs")),
    )
    op.create_index(op.f("ix_report_runs_project"), "report_runs", ["project"], unique=False)
    op.create_table(
        "report_files",
        sa.Column("run", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_report_files_name")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_report_files_sha256")),
        sa.CheckConstraint("size >= 0", name=op.f("ck_report_files_size")),
        sa.ForeignKeyConstraint(["run"], ["report_runs.id"], name=op.f("fk_report_files_run_report_runs")),
        sa.PrimaryKeyConstraint("run", "name", name=op.f("pk_report_files")),
    )
    op.create_index(op.f("ix_report_files_sha256"), "report_files", ["sha256"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_report_files_sha256"), table_name="report_files")
    op.drop_table("report_files")
    op.drop_index(op.f("ix_report_runs_project"), table_name="report_runs")
    op.drop_table("report_runs")
