"""The first tables.

Revision ID: 0001
Revises: -
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_UNFINISHED = sa.text("state IN ('open', 'acknowledged')")

# In the order in which they are made; they go in the opposite one.
_TABLES = (
    "principal",
    "subject",
    "support_case",
    "assignment",
    "work_list",
    "work_list_member",
    "alert",
    "response",
    "mode_rule",
    "api_key",
    "console_session",
    "idempotent_reply",
    "budget_principal",
    "budget_counter",
    "budget_mark",
    "budget_slot",
    "entry",
    "detail_event",
    "detail_subject",
    "tree_head",
    "checkpoint",
    "facts",
    "bundle_file",
    "clock_rate",
    "outbox_position",
)


def upgrade() -> None:
    """Make all tables, and the empty tree."""
    _make_directory()
    _make_cases()
    _make_reviews()
    _make_credentials()
    _make_budgets()
    _make_entries()
    _make_tree()
    _make_settings()
    op.bulk_insert(
        sa.table(
            "tree_head",
            sa.column("id", sa.Integer),
            sa.column("size", sa.BigInteger),
            sa.column("range", sa.LargeBinary),
            sa.column("newest_at", sa.BigInteger),
        ),
        [{"id": 1, "size": 0, "range": b"", "newest_at": 0}],
    )


def downgrade() -> None:
    """Drop all tables, with everything in them."""
    for table in reversed(_TABLES):
        op.drop_table(table)


def _make_directory() -> None:
    op.create_table(
        "principal",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("shift", sa.Text()),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_principal")),
    )
    op.create_table(
        "subject",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("key_blind", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary()),
        sa.Column("bucket", sa.String(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary()),
        sa.Column("next_n", sa.BigInteger(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("is_decoy", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_subject")),
        sa.UniqueConstraint(
            "tenant", "source", "key_blind", name=op.f("uq_subject_tenant_source_key_blind")
        ),
    )
    op.create_index(op.f("ix_subject_bucket"), "subject", ["bucket"], unique=False)


def _make_cases() -> None:
    op.create_table(
        "support_case",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.String()),
        sa.Column("closed_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["ref"], ["subject.ref"], name=op.f("fk_support_case_ref")),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_support_case")),
    )
    op.create_index(op.f("ix_support_case_ref"), "support_case", ["ref"], unique=False)
    op.create_table(
        "assignment",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("to_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["tenant", "case_id"],
            ["support_case.tenant", "support_case.id"],
            name=op.f("fk_assignment_tenant_case_id"),
        ),
        sa.PrimaryKeyConstraint(
            "tenant", "case_id", "agent_id", "from_at", name=op.f("pk_assignment")
        ),
    )
    op.create_table(
        "work_list",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String()),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_work_list")),
    )
    op.create_table(
        "work_list_member",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("list_id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant", "list_id"],
            ["work_list.tenant", "work_list.id"],
            name=op.f("fk_work_list_member_tenant_list_id"),
        ),
        sa.PrimaryKeyConstraint("tenant", "list_id", "ref", name=op.f("pk_work_list_member")),
    )
    op.create_index(op.f("ix_work_list_member_ref"), "work_list_member", ["ref"], unique=False)


def _make_reviews() -> None:
    op.create_table(
        "alert",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("pseudonyms", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.String()),
        sa.Column("assignee", sa.String()),
        sa.Column("note", sa.Text()),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_alert")),
    )
    op.create_index(
        "uq_alert_unfinished",
        "alert",
        ["tenant", "key"],
        unique=True,
        sqlite_where=_UNFINISHED,
        postgresql_where=_UNFINISHED,
    )
    op.create_table(
        "response",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("alert_id", sa.String()),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("contested", sa.Text()),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_response")),
    )
    op.create_index(op.f("ix_response_key"), "response", ["key"], unique=False)
    op.create_table(
        "mode_rule",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.String()),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_mode_rule")),
    )


def _make_credentials() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("may_assert", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
    )
    op.create_table(
        "console_session",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("principal_id", sa.String(), nullable=False),
        sa.Column("csrf", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_console_session")),
    )
    op.create_table(
        "idempotent_reply",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("principal_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "principal_id", "key", name=op.f("pk_idempotent_reply")),
    )


def _make_budgets() -> None:
    op.create_table(
        "budget_principal",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("suspended_until", sa.BigInteger()),
        sa.Column("notified_until", sa.BigInteger()),
        sa.Column("mask_more_until", sa.BigInteger()),
        sa.Column("explained_only_until", sa.BigInteger()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_budget_principal")),
    )
    op.create_table(
        "budget_counter",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("window", sa.String(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("edge", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "measure", "window", name=op.f("pk_budget_counter")),
    )
    op.create_table(
        "budget_mark",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", "ref", name=op.f("pk_budget_mark")),
    )
    op.create_index(op.f("ix_budget_mark_key_last"), "budget_mark", ["key", "last"], unique=False)
    op.create_table(
        "budget_slot",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "start", name=op.f("pk_budget_slot")),
    )


def _make_entries() -> None:
    op.create_table(
        "entry",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.LargeBinary(), nullable=False),
        sa.Column("writer", sa.LargeBinary(), nullable=False),
        sa.Column("writer_seq", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_entry")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_entry_entry_id")),
        sa.UniqueConstraint("writer", "writer_seq", name=op.f("uq_entry_writer_writer_seq")),
    )
    op.create_table(
        "detail_event",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("agent", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("would", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["idx"], ["entry.idx"], name=op.f("fk_detail_event_idx")),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_detail_event")),
    )
    op.create_index(
        op.f("ix_detail_event_tenant_agent_idx"),
        "detail_event",
        ["tenant", "agent", "idx"],
        unique=False,
    )
    op.create_index(
        op.f("ix_detail_event_tenant_at"), "detail_event", ["tenant", "at"], unique=False
    )
    op.create_index(
        op.f("ix_detail_event_tenant_idx"), "detail_event", ["tenant", "idx"], unique=False
    )
    op.create_index(
        op.f("ix_detail_event_tenant_team_idx"),
        "detail_event",
        ["tenant", "team", "idx"],
        unique=False,
    )
    op.create_table(
        "detail_subject",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary()),
        sa.ForeignKeyConstraint(["idx"], ["entry.idx"], name=op.f("fk_detail_subject_idx")),
        sa.PrimaryKeyConstraint("idx", "position", name=op.f("pk_detail_subject")),
    )
    op.create_index(
        op.f("ix_detail_subject_ref_idx"), "detail_subject", ["ref", "idx"], unique=False
    )


def _make_tree() -> None:
    op.create_table(
        "tree_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("range", sa.LargeBinary(), nullable=False),
        sa.Column("newest_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tree_head")),
    )
    op.create_table(
        "checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoint")),
    )


def _make_settings() -> None:
    op.create_table(
        "facts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facts")),
    )
    op.create_table(
        "bundle_file",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "path", name=op.f("pk_bundle_file")),
    )
    op.create_table(
        "clock_rate",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.BigInteger(), nullable=False),
        sa.Column("wall_origin", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_rate")),
    )
    op.create_table(
        "outbox_position",
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("worker", name=op.f("pk_outbox_position")),
    )
