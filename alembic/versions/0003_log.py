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

_BY_ACTOR = sa.text("actor <> ''")


def upgrade() -> None:
    """Add what waits for its place in the tree, and what answers questions to the log."""
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
    op.create_index(op.f("ix_pending_entry_id"), "pending", ["entry_id"])
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
    _add_answers()
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
    op.create_table(
        "export_job",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("order", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.BigInteger(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_job")),
    )
    op.create_table(
        "export_chunk",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("octets", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job", "number", name=op.f("pk_export_chunk")),
        sa.ForeignKeyConstraint(
            ["job"], ["export_job.id"], name=op.f("fk_export_chunk_job_export_job")
        ),
    )
    op.create_table(
        "sink",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("held_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sink")),
    )


def downgrade() -> None:
    """Remove it; pending entries must have been integrated."""
    op.drop_table("accounted_writer")
    op.drop_table("dispute")
    op.drop_table("hold_back")
    op.drop_table("publishing")
    op.drop_table("writer_gap")
    _drop_answers()
    op.drop_table("legal_hold")
    op.drop_index(op.f("ix_erasure_state"), table_name="erasure")
    op.drop_index(op.f("ix_erasure_ref"), table_name="erasure")
    op.drop_table("erasure")
    op.drop_table("sink")
    op.drop_table("export_chunk")
    op.drop_table("export_job")
    op.drop_index(op.f("ix_pending_entry_id"), table_name="pending")
    op.drop_table("pending")


def _add_answers() -> None:
    op.create_table(
        "log_term",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("term", sa.String(), nullable=False),
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("places", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "term", "block", name=op.f("pk_log_term")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_block",
        sa.Column("block", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.BigInteger(), nullable=False),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("block", name=op.f("pk_log_block")),
    )
    op.create_index(op.f("ix_log_block_high_block"), "log_block", ["high", "block"])
    op.add_column(
        "principal", sa.Column("log_scope", sa.String(), nullable=False, server_default="tenant")
    )
    op.add_column("detail_event", sa.Column("shown", sa.String()))
    op.drop_index(op.f("ix_detail_event_tenant_team_idx"), "detail_event")
    op.drop_index(op.f("ix_detail_event_tenant_at"), "detail_event")
    op.create_index(
        "ix_detail_event_tenant_actor_idx",
        "detail_event",
        ["tenant", "actor", "idx"],
        sqlite_where=_BY_ACTOR,
        postgresql_where=_BY_ACTOR,
    )


def _drop_answers() -> None:
    op.drop_index("ix_detail_event_tenant_actor_idx", "detail_event")
    op.create_index(op.f("ix_detail_event_tenant_at"), "detail_event", ["tenant", "at"])
    op.create_index(
        op.f("ix_detail_event_tenant_team_idx"), "detail_event", ["tenant", "team", "idx"]
    )
    op.drop_column("detail_event", "shown")
    op.drop_column("principal", "log_scope")
    op.drop_index(op.f("ix_log_block_high_block"), "log_block")
    op.drop_table("log_block")
    op.drop_table("log_term")
