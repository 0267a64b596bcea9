"""Tables of the register: dossiers and what was decided on them, entries, the charter, leads, leavers."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "register_charters",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("ck_register_charters_version")),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_register_charters")),
    )
    op.create_table(
        "register_leads",
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("centre", sa.String(length=64), nullable=False),
        sa.Column("named_by", sa.String(length=64), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("username", "centre", name=op.f("pk_register_leads")),
    )
    op.create_table(
        "register_leavers",
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_register_leavers")),
    )
    op.create_table(
        "register_people",
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("full_name", sa.String(length=200), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_register_people")),
    )
    op.create_table(
        "register_acceptances",
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("language IN ('fr', 'en')", name=op.f("ck_register_acceptances_language")),
        sa.ForeignKeyConstraint(
            ["version"],
            ["register_charters.version"],
            name=op.f("fk_register_acceptances_version_register_charters"),
        ),
        sa.PrimaryKeyConstraint("username", "version", name=op.f("pk_register_acceptances")),
    )
    op.create_table(
        "register_access_reviews",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("removed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project"],
            ["projects.slug"],
            name=op.f("fk_register_access_reviews_project_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_access_reviews")),
    )
    op.create_index(
        "ix_register_access_reviews_project", "register_access_reviews", ["project"], unique=False
    )
    op.create_table(
        "register_dossiers",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("project", sa.String(length=40), nullable=True),
        sa.Column("requester", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('creation', 'amendment', 'renewal')", name=op.f("ck_register_dossiers_kind")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'in-review', 'returned', 'approved', 'refused', 'withdrawn')",
            name=op.f("ck_register_dossiers_state"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'withdrawn') OR project IS NOT NULL",
            name=op.f("ck_register_dossiers_project"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'withdrawn') OR submitted_at IS NOT NULL",
            name=op.f("ck_register_dossiers_submitted"),
        ),
        sa.CheckConstraint("round >= 0", name=op.f("ck_register_dossiers_round")),
        sa.ForeignKeyConstraint(
            ["project"],
            ["projects.slug"],
            name=op.f("fk_register_dossiers_project_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_dossiers")),
    )
    op.create_index(op.f("ix_register_dossiers_project"), "register_dossiers", ["project"], unique=False)
    op.create_index(op.f("ix_register_dossiers_requester"), "register_dossiers", ["requester"], unique=False)
    op.create_index(op.f("ix_register_dossiers_state"), "register_dossiers", ["state"], unique=False)
    op.create_table(
        "register_conflicts",
        sa.Column("dossier", sa.String(length=16), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(reason) > 0", name=op.f("ck_register_conflicts_reason")),
        sa.ForeignKeyConstraint(
            ["dossier"],
            ["register_dossiers.id"],
            name=op.f("fk_register_conflicts_dossier_register_dossiers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("dossier", "username", name=op.f("pk_register_conflicts")),
    )
    op.create_table(
        "register_entries",
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=24), nullable=False),
        sa.Column("responsible", sa.String(length=64), nullable=False),
        sa.Column("director", sa.String(length=200), nullable=False),
        sa.Column("protocol", sa.Text(), nullable=False),
        sa.Column("legal_basis", sa.String(length=24), nullable=False),
        sa.Column("legal_reference", sa.String(length=200), nullable=False),
        sa.Column("retention", sa.Text(), nullable=False),
        sa.Column("dpia", sa.String(length=200), nullable=False),
        sa.Column("lay_fr", sa.Text(), nullable=False),
        sa.Column("lay_en", sa.Text(), nullable=False),
        sa.Column("lead", sa.String(length=64), nullable=True),
        sa.Column("review_due", sa.Date(), nullable=True),
        sa.Column("dossier", sa.String(length=16), nullable=True),
        sa.CheckConstraint(
            "legal_basis IN ('MR-001', 'MR-002', 'MR-003', 'MR-004', 'MR-005', 'MR-006', "
            "'MR-007', 'MR-008', 'authorisation', 'internal-research', 'warehouse-reference')",
            name=op.f("ck_register_entries_legal_basis"),
        ),
        sa.CheckConstraint("scope <> 'regional' OR lead IS NOT NULL", name=op.f("ck_register_entries_lead")),
        sa.CheckConstraint("scope IN ('national', 'regional')", name=op.f("ck_register_entries_scope")),
        sa.ForeignKeyConstraint(
            ["dossier"], ["register_dossiers.id"], name=op.f("fk_register_entries_dossier_register_dossiers")
        ),
        sa.ForeignKeyConstraint(
            ["project"],
            ["projects.slug"],
            name=op.f("fk_register_entries_project_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_register_entries")),
    )
    op.create_index(
        op.f("ix_register_entries_responsible"), "register_entries", ["responsible"], unique=False
    )
    op.create_table(
        "register_opinions",
        sa.Column("dossier", sa.String(length=16), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("office", sa.String(length=24), nullable=False),
        sa.Column("verdict", sa.String(length=24), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.CheckConstraint("office IN ('cse', 'dpo', 'admin')", name=op.f("ck_register_opinions_office")),
        sa.CheckConstraint(
            "verdict IN ('favourable', 'return', 'unfavourable')", name=op.f("ck_register_opinions_verdict")
        ),
        sa.CheckConstraint("length(reason) > 0", name=op.f("ck_register_opinions_reason")),
        sa.ForeignKeyConstraint(
            ["dossier"],
            ["register_dossiers.id"],
            name=op.f("fk_register_opinions_dossier_register_dossiers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("dossier", "round", "office", name=op.f("pk_register_opinions")),
    )
    op.create_table(
        "register_reserves",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("dossier", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("lifted_by", sa.String(length=64), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_because", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(lifted_at IS NULL) = (lifted_by IS NULL) AND (lifted_at IS NULL OR length(lifted_because) > 0)",
            name=op.f("ck_register_reserves_lifted"),
        ),
        sa.CheckConstraint("length(text) > 0", name=op.f("ck_register_reserves_text")),
        sa.ForeignKeyConstraint(
            ["dossier"],
            ["register_dossiers.id"],
            name=op.f("fk_register_reserves_dossier_register_dossiers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_register_reserves")),
    )
    op.create_index(op.f("ix_register_reserves_dossier"), "register_reserves", ["dossier"], unique=False)
    op.create_table(
        "register_votes",
        sa.Column("dossier", sa.String(length=16), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("ballot", sa.String(length=24), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ballot IN ('for', 'against', 'abstain')", name=op.f("ck_register_votes_ballot")),
        sa.ForeignKeyConstraint(
            ["dossier"],
            ["register_dossiers.id"],
            name=op.f("fk_register_votes_dossier_register_dossiers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("dossier", "round", "username", name=op.f("pk_register_votes")),
    )


def downgrade() -> None:
    op.drop_table("register_votes")
    op.drop_index(op.f("ix_register_reserves_dossier"), table_name="register_reserves")
    op.drop_table("register_reserves")
    op.drop_table("register_opinions")
    op.drop_index(op.f("ix_register_entries_responsible"), table_name="register_entries")
    op.drop_table("register_entries")
    op.drop_table("register_conflicts")
    op.drop_index(op.f("ix_register_dossiers_state"), table_name="register_dossiers")
    op.drop_index(op.f("ix_register_dossiers_requester"), table_name="register_dossiers")
    op.drop_index(op.f("ix_register_dossiers_project"), table_name="register_dossiers")
    op.drop_table("register_dossiers")
    op.drop_index("ix_register_access_reviews_project", table_name="register_access_reviews")
    op.drop_table("register_access_reviews")
    op.drop_table("register_acceptances")
    op.drop_table("register_people")
    op.drop_table("register_leavers")
    op.drop_table("register_leads")
    op.drop_table("register_charters")
