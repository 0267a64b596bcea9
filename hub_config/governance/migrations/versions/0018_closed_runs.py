"""Runs that ended because their project was open no more."""

from alembic import op

revision = "0018"
down_revision = "0017"

_OUTCOMES = (
    "done", "cell-failed", "timed-out", "given-up", "broke", "not-started", "incomplete", "withdrawn",
)  # fmt: skip


def upgrade() -> None:
    _allow(*_OUTCOMES, "closed")


def downgrade() -> None:
    op.execute("UPDATE report_runs SET outcome = 'broke' WHERE outcome = 'closed'")
    _allow(*_OUTCOMES)


def _allow(*outcomes: str) -> None:
    name = op.f("ck_report_runs_outcome")
    with op.batch_alter_table("report_runs") as changed:
        changed.drop_constraint(name, type_="check")
        words = ", ".join(f"'{outcome}'" for outcome in outcomes)
        changed.create_check_constraint(name, f"outcome IN ({words})")
