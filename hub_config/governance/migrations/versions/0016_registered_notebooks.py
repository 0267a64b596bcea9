"""Notebooks of a project's own, and which of them a run was of."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_OF_A_NOTEBOOK = (
    "ALTER TABLE report_runs ADD COLUMN registration VARCHAR(16) "
    "CONSTRAINT fk_report_runs_registration_registered_notebooks REFERENCES registered_notebooks (id)"
)
"""In one statement: SQLite takes no constraint afterwards, and makes no table anew that others refer to."""
_OPEN = sa.text("state IN ('asked', 'approved')")


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "registered_notebooks",
        _text("id", 16),
        _text("project", 40),
        _text("name", 64),
        _text("sha256", 64),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        _text("access", 16),
        sa.Column("outputs", sa.JSON(), nullable=False),
        _text("state", 16),
        _text("asked_by", 64),
        _moment("asked_at"),
        _text("decided_by", 64, nullable=True),
        _moment("decided_at", nullable=True),
        sa.Column("reason", sa.Text(), nullable=False, server_default=""),
        _text("ended_by", 64, nullable=True),
        _moment("ended_at", nullable=True),
        *_constraints(),
        sa.ForeignKeyConstraint(
            ["project"], ["projects.slug"], name=op.f("fk_registered_notebooks_project_projects")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registered_notebooks")),
    )
    op.create_index(op.f("ix_registered_notebooks_project"), "registered_notebooks", ["project"])
    op.create_index(
        "ix_registered_notebooks_open_name", "registered_notebooks", ["project", "name"], unique=True,
        sqlite_where=_OPEN, postgresql_where=_OPEN,
    )  # fmt: skip
    op.execute(_OF_A_NOTEBOOK)
    op.add_column("report_runs", sa.Column("undeclared", sa.Integer(), nullable=False, server_default="0"))


def _constraints() -> list[sa.CheckConstraint]:
    held = {
        "id": "length(id) > 2",
        "name": "length(name) > 2",
        "sha256": "length(sha256) = 64",
        "access": "access IN ('aggregate', 'microdata', 'sandbox')",
        "state": "state IN ('asked', 'approved', 'refused', 'withdrawn')",
        "own": "decided_by IS NULL OR decided_by <> asked_by",
        "decided": (
            "state NOT IN ('approved', 'refused') OR (decided_by IS NOT NULL AND decided_at IS NOT NULL)"
        ),
        "ended": "state <> 'withdrawn' OR ended_by IS NOT NULL",
    }
    return [
        sa.CheckConstraint(rule, name=op.f(f"ck_registered_notebooks_{name}")) for name, rule in held.items()
    ]


def downgrade() -> None:
    with op.batch_alter_table("report_runs") as table:  # the reference goes with its column
        table.drop_column("undeclared")
        table.drop_column("registration")
    op.drop_table("registered_notebooks")
