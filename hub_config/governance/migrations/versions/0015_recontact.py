"""Re-contact: the right of a grant, the keys of practices, the requests and their lists."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_STATES = "'requested', 'approved', 'announced', 'refused', 'closed'"
_IN_FORCE = sa.text("confirmed_by IS NOT NULL AND ended_at IS NULL")


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length=length), nullable=nullable)


def upgrade() -> None:
    with op.batch_alter_table("grants") as table:
        table.add_column(sa.Column("recontact", sa.Boolean(), nullable=False, server_default=sa.false()))
    _create_keys()
    _create_requests()
    op.create_table(
        "recontact_patients",
        _text("request", 16),
        sa.Column("patient_no", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("physician_no", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["request"],
            ["recontacts.id"],
            name=op.f("fk_recontact_patients_request_recontacts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("request", "patient_no", name=op.f("pk_recontact_patients")),
    )
    op.create_index(op.f("ix_recontact_patients_physician_no"), "recontact_patients", ["physician_no"])
    op.create_table(
        "recontact_fetches",
        _text("request", 16),
        _text("key", 16),
        _text("fetched_by", 64),
        _moment("fetched_at"),
        sa.ForeignKeyConstraint(
            ["request"], ["recontacts.id"], name=op.f("fk_recontact_fetches_request_recontacts")
        ),
        sa.ForeignKeyConstraint(
            ["key"], ["practice_keys.id"], name=op.f("fk_recontact_fetches_key_practice_keys")
        ),
        sa.PrimaryKeyConstraint("request", "key", name=op.f("pk_recontact_fetches")),
    )


def _create_keys() -> None:
    op.create_table(
        "practice_keys",
        _text("id", 16),
        _text("practice", 40),
        _text("source", 200),
        _text("numbering", 200),
        sa.Column("physician_no", sa.Integer(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        _text("fingerprint", 30),
        _text("recorded_by", 64),
        _moment("recorded_at"),
        _text("confirmed_by", 64, nullable=True),
        _moment("confirmed_at", nullable=True),
        _moment("ended_at", nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(fingerprint) = 30", name=op.f("ck_practice_keys_fingerprint")),
        sa.CheckConstraint("physician_no >= 0", name=op.f("ck_practice_keys_physician")),
        sa.CheckConstraint(
            "(confirmed_by IS NULL) = (confirmed_at IS NULL)", name=op.f("ck_practice_keys_confirmed")
        ),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR confirmed_by <> recorded_by", name=op.f("ck_practice_keys_four_eyes")
        ),
        sa.ForeignKeyConstraint(
            ["practice"], ["practices.reference"], name=op.f("fk_practice_keys_practice_practices")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practice_keys")),
    )
    op.create_index(op.f("ix_practice_keys_practice"), "practice_keys", ["practice"])
    op.create_index(
        "ix_practice_keys_in_force",
        "practice_keys",
        ["numbering", "physician_no"],
        unique=True,
        sqlite_where=_IN_FORCE,
        postgresql_where=_IN_FORCE,
    )


def _create_requests() -> None:
    op.create_table(
        "recontacts",
        _text("id", 16),
        _text("project", 40),
        _text("requested_by", 64),
        _text("title", 120),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("tables", sa.Text(), nullable=False),
        sa.Column("snapshot", sa.Integer(), nullable=False),
        _text("numbering", 200),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.Column("patients", sa.Integer(), nullable=False),
        _text("state", 16),
        _moment("requested_at"),
        _text("decided_by", 64, nullable=True),
        _moment("decided_at", nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(f"state IN ({_STATES})", name=op.f("ck_recontacts_state")),
        sa.CheckConstraint("length(title) > 0 AND length(protocol) > 0", name=op.f("ck_recontacts_said")),
        sa.CheckConstraint("length(definition) > 0", name=op.f("ck_recontacts_defined")),
        sa.CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name=op.f("ck_recontacts_decided")),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> requested_by", name=op.f("ck_recontacts_own")
        ),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'announced') OR decided_by IS NOT NULL",
            name=op.f("ck_recontacts_approved"),
        ),
        sa.CheckConstraint("state <> 'refused' OR length(reason) > 0", name=op.f("ck_recontacts_reason")),
        sa.ForeignKeyConstraint(["project"], ["projects.slug"], name=op.f("fk_recontacts_project_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recontacts")),
    )
    op.create_index(op.f("ix_recontacts_project"), "recontacts", ["project"])


def downgrade() -> None:
    for name in ("recontact_fetches", "recontact_patients", "recontacts", "practice_keys"):
        op.drop_table(name)
    with op.batch_alter_table("grants") as table:
        table.drop_column("recontact")
