"""Tables of the airlock: requests of release and what belongs to them, the pool of reviewers, notices."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("request", sa.String(length=16), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("given_up_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('to-review', 'to-consolidate', 'reminder', 'question', 'answer', "
            "'returned', 'rejected', 'released', 'recalled', 'too-few-reviewers', 'shelf-broken')",
            name=op.f("ck_notices_kind"),
        ),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_notices_attempts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index("ix_notices_recipient", "notices", ["recipient", "created_at"], unique=False)
    op.create_index("ix_notices_unsent", "notices", ["sent_at", "next_at"], unique=False)
    op.create_table(
        "reviewer_absences",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("reviewer", sa.String(length=64), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.CheckConstraint("first <= last", name=op.f("ck_reviewer_absences_dates")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviewer_absences")),
    )
    op.create_index(op.f("ix_reviewer_absences_reviewer"), "reviewer_absences", ["reviewer"], unique=False)
    op.create_table(
        "reviewer_delegations",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("reviewer", sa.String(length=64), nullable=False),
        sa.Column("delegate", sa.String(length=64), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("delegate = lower(delegate)", name=op.f("ck_reviewer_delegations_username")),
        sa.CheckConstraint("first <= last", name=op.f("ck_reviewer_delegations_dates")),
        sa.CheckConstraint("reviewer <> delegate", name=op.f("ck_reviewer_delegations_somebody_else")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviewer_delegations")),
    )
    op.create_index(
        op.f("ix_reviewer_delegations_delegate"), "reviewer_delegations", ["delegate"], unique=False
    )
    op.create_index(
        op.f("ix_reviewer_delegations_reviewer"), "reviewer_delegations", ["reviewer"], unique=False
    )
    op.create_table(
        "reviewers",
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("named_by", sa.String(length=64), nullable=False),
        sa.Column("named_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "length(username) > 0 AND username = lower(username)", name=op.f("ck_reviewers_username")
        ),
        sa.PrimaryKeyConstraint("username", name=op.f("pk_reviewers")),
    )
    op.create_table(
        "release_requests",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("requester", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("controls", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("looks_needed", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("previous", sa.String(length=16), nullable=True),
        sa.Column("members_then", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recalled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recalled_by", sa.String(length=64), nullable=True),
        sa.Column("recall_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "(recalled_at IS NULL) OR (state = 'released')", name=op.f("ck_release_requests_recalled")
        ),
        sa.CheckConstraint(
            "(state = 'released') = (released_at IS NOT NULL)", name=op.f("ck_release_requests_released")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'submitted', 'in-review', 'approved', 'released', 'returned', "
            "'rejected', 'withdrawn')",
            name=op.f("ck_release_requests_state"),
        ),
        sa.CheckConstraint(
            "submitted_at IS NOT NULL OR state IN ('draft', 'withdrawn')",
            name=op.f("ck_release_requests_submitted"),
        ),
        sa.CheckConstraint("length(id) >= 6", name=op.f("ck_release_requests_id")),
        sa.CheckConstraint("length(title) > 0", name=op.f("ck_release_requests_title")),
        sa.CheckConstraint("looks_needed BETWEEN 0 AND 2", name=op.f("ck_release_requests_looks_needed")),
        sa.ForeignKeyConstraint(
            ["previous"], ["release_requests.id"], name=op.f("fk_release_requests_previous_release_requests")
        ),
        sa.ForeignKeyConstraint(
            ["project"], ["projects.slug"], name=op.f("fk_release_requests_project_projects")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_requests")),
    )
    op.create_index("ix_release_requests_project", "release_requests", ["project", "state"], unique=False)
    op.create_index(
        "ix_release_requests_requester", "release_requests", ["requester", "created_at"], unique=False
    )
    op.create_index("ix_release_requests_state", "release_requests", ["state", "submitted_at"], unique=False)
    op.create_table(
        "row_holders",
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project"], ["projects.slug"], name=op.f("fk_row_holders_project_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project", "username", name=op.f("pk_row_holders")),
    )
    op.create_index(op.f("ix_row_holders_username"), "row_holders", ["username"], unique=False)
    op.create_table(
        "release_assignments",
        sa.Column("request", sa.String(length=16), nullable=False),
        sa.Column("reviewer", sa.String(length=64), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["request"],
            ["release_requests.id"],
            name=op.f("fk_release_assignments_request_release_requests"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("request", "reviewer", name=op.f("pk_release_assignments")),
    )
    op.create_index(
        op.f("ix_release_assignments_reviewer"), "release_assignments", ["reviewer"], unique=False
    )
    op.create_table(
        "release_comments",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("request", sa.String(length=16), nullable=False),
        sa.Column("author", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("question", sa.Boolean(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=True),
        sa.Column("file", sa.Integer(), nullable=True),
        sa.CheckConstraint("NOT (private AND question)", name=op.f("ck_release_comments_question")),
        sa.CheckConstraint("length(text) > 0", name=op.f("ck_release_comments_text")),
        sa.ForeignKeyConstraint(
            ["answers"], ["release_comments.id"], name=op.f("fk_release_comments_answers_release_comments")
        ),
        sa.ForeignKeyConstraint(
            ["request"],
            ["release_requests.id"],
            name=op.f("fk_release_comments_request_release_requests"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_comments")),
    )
    op.create_index("ix_release_comments_request", "release_comments", ["request"], unique=False)
    op.create_table(
        "release_downloads",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("request", sa.String(length=16), nullable=False),
        sa.Column("file", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["request"], ["release_requests.id"], name=op.f("fk_release_downloads_request_release_requests")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_downloads")),
    )
    op.create_index("ix_release_downloads_request", "release_downloads", ["request"], unique=False)
    op.create_table(
        "release_files",
        sa.Column("request", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("output_class", sa.String(length=16), nullable=False),
        sa.Column("checked", sa.String(length=16), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("proof", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("checker", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "checked IN ('pending', 'checked', 'quarantined')", name=op.f("ck_release_files_checked")
        ),
        sa.CheckConstraint(
            "output_class IN ('born-safe', 'reproduced', 'unverified')",
            name=op.f("ck_release_files_output_class"),
        ),
        sa.CheckConstraint("length(kind) > 0", name=op.f("ck_release_files_kind")),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_release_files_name")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_release_files_sha256")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_release_files_number")),
        sa.CheckConstraint("size >= 0", name=op.f("ck_release_files_size")),
        sa.ForeignKeyConstraint(
            ["request"],
            ["release_requests.id"],
            name=op.f("fk_release_files_request_release_requests"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("request", "number", name=op.f("pk_release_files")),
    )
    op.create_index(op.f("ix_release_files_sha256"), "release_files", ["sha256"], unique=False)
    op.create_table(
        "release_records",
        sa.Column("request", sa.String(length=16), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_release_records_sha256")),
        sa.ForeignKeyConstraint(
            ["request"], ["release_requests.id"], name=op.f("fk_release_records_request_release_requests")
        ),
        sa.PrimaryKeyConstraint("request", name=op.f("pk_release_records")),
    )
    op.create_table(
        "release_reviews",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("request", sa.String(length=16), nullable=False),
        sa.Column("reviewer", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('approve', 'changes', 'undecided', 'reject')",
            name=op.f("ck_release_reviews_verdict"),
        ),
        sa.CheckConstraint("length(seal) = 64", name=op.f("ck_release_reviews_seal")),
        sa.CheckConstraint("round >= 1", name=op.f("ck_release_reviews_round")),
        sa.ForeignKeyConstraint(
            ["request"],
            ["release_requests.id"],
            name=op.f("fk_release_reviews_request_release_requests"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_reviews")),
    )
    op.create_index("ix_release_reviews_request", "release_reviews", ["request"], unique=False)
    op.create_index("ix_release_reviews_reviewer", "release_reviews", ["reviewer", "at"], unique=False)
    op.create_index(
        "uq_release_reviews_standing",
        "release_reviews",
        ["request", "reviewer"],
        unique=True,
        sqlite_where=sa.text("standing"),
        postgresql_where=sa.text("standing"),
    )


def downgrade() -> None:
    op.drop_table("release_reviews")
    op.drop_table("release_records")
    op.drop_table("release_files")
    op.drop_table("release_downloads")
    op.drop_table("release_comments")
    op.drop_table("release_assignments")
    op.drop_table("row_holders")
    op.drop_table("release_requests")
    op.drop_table("reviewers")
    op.drop_table("reviewer_delegations")
    op.drop_table("reviewer_absences")
    op.drop_table("notices")
