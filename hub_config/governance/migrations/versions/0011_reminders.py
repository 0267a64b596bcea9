"""Notices of the register, and a charter that can be taken out of force."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_BEFORE = (
    "to-review", "to-consolidate", "reminder", "question", "answer", "returned", "rejected", "released",
    "recalled", "too-few-reviewers", "shelf-broken",
)  # fmt: skip
_MORE = ("access-review", "renewal", "suspended")


def upgrade() -> None:
    _allow(_BEFORE + _MORE)
    with op.batch_alter_table("register_charters") as table:
        table.add_column(sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("register_charters") as table:
        table.drop_column("lifted_at")
    op.execute(f"DELETE FROM notices WHERE {_one_of(_MORE)}")  # noqa: S608  (words of our own)
    _allow(_BEFORE)


def _allow(kinds: tuple[str, ...]) -> None:
    name = op.f("ck_notices_kind")
    with op.batch_alter_table("notices") as table:
        table.drop_constraint(name, type_="check")
        table.create_check_constraint(name, _one_of(kinds))


def _one_of(kinds: tuple[str, ...]) -> str:
    return "kind IN ({})".format(", ".join(f"'{kind}'" for kind in kinds))
