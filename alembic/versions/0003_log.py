"""A log with many writers.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what waits for its place in the tree."""
    op.create_table(
        "pending",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            sa.Identity(),
            primary_key=True,
        ),
        sa.Column("entry_id", sa.LargeBinary(), nullable=False),
        sa.Column("writer", sa.LargeBinary(), nullable=False),
        sa.Column("writer_seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending")),
        sa.UniqueConstraint("writer", "writer_seq", name=op.f("uq_pending_writer_writer_seq")),
    )
    op.create_table(
        "erasure",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.String()),
        sa.Column("approved_at", sa.BigInteger()),
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("entry_id", sa.String()),
        sa.Column("done_at", sa.BigInteger()),
        sa.Column("is_noted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["subject.ref"], name=op.f("fk_erasure_ref")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_erasure")),
    )
    op.create_index(op.f("ix_erasure_ref"), "erasure", ["ref"])
    op.create_index(op.f("ix_erasure_state"), "erasure", ["state"])
    op.create_table(
        "legal_hold",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("ref", sa.String()),
        sa.Column("since", sa.BigInteger()),
        sa.Column("until", sa.BigInteger()),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("matter", sa.String(), nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("lift_by", sa.String()),
        sa.Column("lift_at", sa.BigInteger()),
        sa.Column("lifted_by", sa.String()),
        sa.Column("lifted_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["ref"], ["subject.ref"], name=op.f("fk_legal_hold_ref")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_legal_hold")),
    )


def downgrade() -> None:
    """Remove it; pending entries must have been integrated."""
    op.drop_table("legal_hold")
    op.drop_index(op.f("ix_erasure_state"), table_name="erasure")
    op.drop_index(op.f("ix_erasure_ref"), table_name="erasure")
    op.drop_table("erasure")
    op.drop_table("pending")
