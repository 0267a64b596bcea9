"""The ledger, and a policy of its own for each project."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("projects", sa.Column("policy", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "ledger_answers",
        sa.Column("number", _NUMBER, autoincrement=False, nullable=False),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("snapshot", sa.Integer(), nullable=False),
        sa.Column("publication", sa.Boolean(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(link) = 32", name=op.f("ck_ledger_answers_link")),
        sa.CheckConstraint("length(request_id) > 0", name=op.f("ck_ledger_answers_request_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger_answers")),
    )
    op.create_index(op.f("ix_ledger_answers_project"), "ledger_answers", ["project"])
    op.create_table(
        "ledger_audiences",
        sa.Column("answer", _NUMBER, nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer"], ["ledger_answers.number"], name=op.f("fk_ledger_audiences_answer_ledger_answers")
        ),
        sa.PrimaryKeyConstraint("answer", "username", name=op.f("pk_ledger_audiences")),
    )
    op.create_index(op.f("ix_ledger_audiences_username"), "ledger_audiences", ["username"])
    op.create_table(
        "ledger_groups",
        sa.Column("id", _NUMBER, sa.Identity(always=False), nullable=False),
        sa.Column("checksum", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(checksum) = 32", name=op.f("ck_ledger_groups_checksum")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_groups")),
        sa.UniqueConstraint("checksum", name=op.f("uq_ledger_groups_checksum")),
    )
    op.create_table(
        "ledger_parts",
        sa.Column("answer", _NUMBER, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("group_id", _NUMBER, nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("snapped", sa.Integer(), nullable=False),
        sa.Column("withheld", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer"], ["ledger_answers.number"], name=op.f("fk_ledger_parts_answer_ledger_answers")
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["ledger_groups.id"], name=op.f("fk_ledger_parts_group_id_ledger_groups")
        ),
        sa.PrimaryKeyConstraint("answer", "place", name=op.f("pk_ledger_parts")),
    )
    op.create_index(op.f("ix_ledger_parts_group_id"), "ledger_parts", ["group_id"])
    head = op.create_table(
        "ledger_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("answers", _NUMBER, nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_ledger_head_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_head")),
    )
    op.bulk_insert(head, [{"id": 1, "answers": 0, "link": bytes(32)}])


def downgrade() -> None:
    for table in ("ledger_head", "ledger_parts", "ledger_groups", "ledger_audiences", "ledger_answers"):
        op.drop_table(table)
    op.drop_column("projects", "policy")
