"""Notices of notebooks to be registered; runs without a declared file, or whose registration fell."""

from alembic import op

revision = "0017"
down_revision = "0016"

_NOTICES = (
    "to-review", "to-consolidate", "reminder", "question", "answer", "returned", "rejected", "released",
    "recalled", "too-few-reviewers", "shelf-broken", "access-review", "renewal", "suspended", "rights-soon",
    "rights-due", "rights-late",
)  # fmt: skip
_OF_NOTEBOOKS = (
    "notebook-to-read", "notebook-reminder", "notebook-no-reader", "notebook-approved", "notebook-refused",
    "notebook-withdrawn",
)  # fmt: skip
_OUTCOMES = ("done", "cell-failed", "timed-out", "given-up", "broke", "not-started")
_MORE_OUTCOMES = ("incomplete", "withdrawn")


def upgrade() -> None:
    _allow("notices", "kind", _NOTICES + _OF_NOTEBOOKS)
    _allow("report_runs", "outcome", _OUTCOMES + _MORE_OUTCOMES)


def downgrade() -> None:
    op.execute(f"DELETE FROM notices WHERE {_one_of('kind', _OF_NOTEBOOKS)}")  # noqa: S608  (our own words)
    op.execute(f"UPDATE report_runs SET outcome = 'broke' WHERE {_one_of('outcome', _MORE_OUTCOMES)}")  # noqa: S608
    _allow("notices", "kind", _NOTICES)
    _allow("report_runs", "outcome", _OUTCOMES)


def _allow(table: str, column: str, words: tuple[str, ...]) -> None:
    name = op.f(f"ck_{table}_{column}")
    with op.batch_alter_table(table) as changed:
        changed.drop_constraint(name, type_="check")
        changed.create_check_constraint(name, _one_of(column, words))


def _one_of(column: str, words: tuple[str, ...]) -> str:
    return "{} IN ({})".format(column, ", ".join(f"'{word}'" for word in words))
