"""Tables of alerts, responses, modes and policies in force."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    String,
    Table,
    Text,
    text,
)

from guard.store.tables.metadata import METADATA

_ACTIVE = text("state = 'active'")


activation = Table(
    "activation",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("state", String, nullable=False),
    Column("because", Text, nullable=False),
    Column("proposed_by", String, nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("approved_by", String),
    Column("approved_at", BigInteger),
    Column("activated_at", BigInteger),
    Column("retired_at", BigInteger),
    Column("rolled_back_from", String),
    # INVARIANT: at most one bundle is in force for a tenant.
    Index(
        "uq_activation_active",
        "tenant",
        unique=True,
        sqlite_where=_ACTIVE,
        postgresql_where=_ACTIVE,
    ),
)


mode_rule = Table(
    "mode_rule",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("vendor", String, nullable=False),
    Column("team", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("proposed_by", String, nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("approved_by", String),
    Column("approved_at", BigInteger),
)


_UNFINISHED = text("state IN ('open', 'acknowledged')")


alert = Table(
    "alert",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("key", String, nullable=False),
    Column("state", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("finding", Text, nullable=False),
    Column("pseudonyms", Text, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("label", String),
    Column("assignee", String),
    Column("note", Text),
    # INVARIANT: at most one unfinished alert per matter; repeats update it.
    Index(
        "uq_alert_unfinished",
        "tenant",
        "key",
        unique=True,
        sqlite_where=_UNFINISHED,
        postgresql_where=_UNFINISHED,
    ),
)


response = Table(
    "response",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("key", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("alert_id", String),
    Column("by", String, nullable=False),
    Column("reason", Text, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("contested", Text),
    Index(None, "key"),
)
