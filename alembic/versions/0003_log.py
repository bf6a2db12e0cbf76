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
    _make_histories()


def _make_histories() -> None:
    op.create_table(
        "hold_back",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.String()),
        sa.Column("approved_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_hold_back")),
    )
    op.create_index(op.f("ix_hold_back_tenant_ends_at"), "hold_back", ["tenant", "ends_at"])
    op.create_table(
        "dispute",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("of", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "of", name=op.f("pk_dispute")),
    )
    op.create_table(
        "accounted_writer",
        sa.Column("writer", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("writer", name=op.f("pk_accounted_writer")),
    )
    op.create_table(
        "writer_gap",
        sa.Column("writer", sa.LargeBinary(), nullable=False),
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("before", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("writer", "first", name=op.f("pk_writer_gap")),
    )
    op.create_table(
        "publishing",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_publishing")),
    )


def downgrade() -> None:
    """Remove it; pending entries must have been integrated."""
    op.drop_table("accounted_writer")
    op.drop_table("dispute")
    op.drop_table("hold_back")
    op.drop_table("publishing")
    op.drop_table("writer_gap")
    op.drop_table("pending")
