"""Notices of rights requests whose answer is due."""

from alembic import op

revision = "0014"
down_revision = "0013"

_BEFORE = (
    "to-review", "to-consolidate", "reminder", "question", "answer", "returned", "rejected", "released",
    "recalled", "too-few-reviewers", "shelf-broken", "access-review", "renewal", "suspended",
)  # fmt: skip
_MORE = ("rights-soon", "rights-due", "rights-late")


def upgrade() -> None:
    _allow(_BEFORE + _MORE)


def downgrade() -> None:
    op.execute(f"DELETE FROM notices WHERE {_one_of(_MORE)}")  # noqa: S608  (words of our own)
    _allow(_BEFORE)


def _allow(kinds: tuple[str, ...]) -> None:
    name = op.f("ck_notices_kind")
    with op.batch_alter_table("notices") as table:
        table.drop_constraint(name, type_="check")
        table.create_check_constraint(name, _one_of(kinds))


def _one_of(kinds: tuple[str, ...]) -> str:
    return "kind IN ({})".format(", ".join(f"'{kind}'" for kind in kinds))
