"""What explains a view beside a case: grants, relations, ties, identifiers; bundles in force.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ACTIVE = sa.text("state = 'active'")

# In the order in which they are made; they go in the opposite one.
_TABLES = (
    "access_grant",
    "presence_code",
    "relation",
    "tie",
    "identifier",
    "webhook_delivery",
    "late_link",
    "activation",
)


def upgrade() -> None:
    """Add the tables, the desk of a principal, and what a work list binds."""
    op.add_column(
        "principal", sa.Column("desk", sa.String(), nullable=False, server_default="front_line")
    )
    with op.batch_alter_table("principal") as principal:
        principal.alter_column("desk", server_default=None)
    op.create_index(
        op.f("ix_assignment_tenant_agent_id_to_at"), "assignment", ["tenant", "agent_id", "to_at"]
    )
    op.create_index(
        op.f("ix_assignment_tenant_agent_id_from_at"),
        "assignment",
        ["tenant", "agent_id", "from_at"],
    )
    op.add_column("work_list", sa.Column("first_approved_by", sa.String()))
    op.add_column("work_list", sa.Column("fields", sa.Text()))
    op.add_column("work_list", sa.Column("pace", sa.Integer()))
    lapses_at = sa.Column("lapses_at", sa.BigInteger(), nullable=False, server_default="0")
    op.add_column("work_list", lapses_at)
    op.add_column("support_case", sa.Column("found_by", sa.String()))
    for column in ("as_of", "held_as_of"):
        op.add_column(
            "support_case",
            sa.Column(column, sa.BigInteger(), nullable=False, server_default="0"),
        )
        with op.batch_alter_table("support_case") as changed:
            changed.alter_column(column, server_default=None)
    op.add_column("console_session", sa.Column("mfa_at", sa.BigInteger()))
    _make_grants()
    _make_customers()
    _make_deliveries()
    _make_activations()


def downgrade() -> None:
    """Remove them."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.drop_index(op.f("ix_assignment_tenant_agent_id_from_at"), "assignment")
    op.drop_index(op.f("ix_assignment_tenant_agent_id_to_at"), "assignment")
    for table, column in (
        ("work_list", "lapses_at"),
        ("console_session", "mfa_at"),
        ("work_list", "pace"),
        ("work_list", "fields"),
        ("work_list", "first_approved_by"),
        ("principal", "desk"),
        ("support_case", "found_by"),
        ("support_case", "as_of"),
        ("support_case", "held_as_of"),
    ):
        with op.batch_alter_table(table) as changed:
            changed.drop_column(column)


def _make_grants() -> None:
    op.create_table(
        "access_grant",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("agent_id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("reason_code", sa.String(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("reviewed_by", sa.String()),
        sa.Column("reviewed_at", sa.BigInteger()),
        sa.Column("outcome", sa.String()),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_access_grant")),
        sa.ForeignKeyConstraint(["ref"], ["subject.ref"], name=op.f("fk_access_grant_ref_subject")),
    )
    op.create_index(
        op.f("ix_access_grant_ref_agent_id_ends_at"), "access_grant", ["ref", "agent_id", "ends_at"]
    )
    op.create_index(
        op.f("ix_access_grant_tenant_kind_starts_at"),
        "access_grant",
        ["tenant", "kind", "starts_at"],
    )
    op.create_table(
        "presence_code",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_presence_code")),
        sa.ForeignKeyConstraint(
            ["ref"], ["subject.ref"], name=op.f("fk_presence_code_ref_subject")
        ),
    )
    op.create_index(op.f("ix_presence_code_ref_expires_at"), "presence_code", ["ref", "expires_at"])


def _make_customers() -> None:
    op.create_table(
        "relation",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("other", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "ref", "other", name=op.f("pk_relation")),
        sa.ForeignKeyConstraint(["ref"], ["subject.ref"], name=op.f("fk_relation_ref_subject")),
        sa.ForeignKeyConstraint(["other"], ["subject.ref"], name=op.f("fk_relation_other_subject")),
    )
    op.create_table(
        "tie",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("principal_id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("tie", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "principal_id", "ref", name=op.f("pk_tie")),
        sa.ForeignKeyConstraint(["ref"], ["subject.ref"], name=op.f("fk_tie_ref_subject")),
    )
    op.create_index(op.f("ix_tie_ref"), "tie", ["ref"])
    op.create_table(
        "identifier",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("blind", sa.LargeBinary(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "kind", "blind", "ref", name=op.f("pk_identifier")),
        sa.ForeignKeyConstraint(["ref"], ["subject.ref"], name=op.f("fk_identifier_ref_subject")),
    )
    op.create_index(op.f("ix_identifier_ref"), "identifier", ["ref"])


def _make_deliveries() -> None:
    op.create_table(
        "webhook_delivery",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "source", "id", name=op.f("pk_webhook_delivery")),
    )
    op.create_index(op.f("ix_webhook_delivery_at"), "webhook_delivery", ["at"])
    op.create_table(
        "late_link",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("link", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_late_link")),
        sa.ForeignKeyConstraint(["idx"], ["entry.idx"], name=op.f("fk_late_link_idx_entry")),
    )


def _make_activations() -> None:
    op.create_table(
        "activation",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("approved_by", sa.String()),
        sa.Column("approved_at", sa.BigInteger()),
        sa.Column("activated_at", sa.BigInteger()),
        sa.Column("retired_at", sa.BigInteger()),
        sa.Column("rolled_back_from", sa.String()),
        sa.PrimaryKeyConstraint("tenant", "id", name=op.f("pk_activation")),
    )
    op.create_index(
        "uq_activation_active",
        "activation",
        ["tenant"],
        unique=True,
        sqlite_where=_ACTIVE,
        postgresql_where=_ACTIVE,
    )
