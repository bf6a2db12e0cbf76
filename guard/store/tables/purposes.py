"""Tables of what gives a view its purpose."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from guard.store.tables.metadata import METADATA

support_case = Table(
    "support_case",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("ref", String, ForeignKey("subject.ref"), nullable=False),
    Column("channel", String, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("opened_by", String),
    Column("closed_at", BigInteger),
    Column("found_by", String),
    Column("as_of", BigInteger, nullable=False),
    Column("held_as_of", BigInteger, nullable=False),
    Index(None, "ref"),
)


assignment = Table(
    "assignment",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("case_id", String, primary_key=True),
    Column("agent_id", String, primary_key=True),
    Column("from_at", BigInteger, primary_key=True, autoincrement=False),
    Column("how", String, nullable=False),
    Column("to_at", BigInteger),
    ForeignKeyConstraint(["tenant", "case_id"], ["support_case.tenant", "support_case.id"]),
    Index(None, "tenant", "agent_id", "to_at"),
    Index(None, "tenant", "agent_id", "from_at"),
)


work_list = Table(
    "work_list",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("team", String, nullable=False),
    Column("campaign", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("proposed_by", String, nullable=False),
    Column("approved_by", String),
    Column("size", Integer, nullable=False),
    Column("first_approved_by", String),
    Column("fields", Text),
    Column("pace", Integer),
    Column("lapses_at", BigInteger, nullable=False, server_default="0"),
)


work_list_member = Table(
    "work_list_member",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("list_id", String, primary_key=True),
    Column("ref", String, primary_key=True),
    ForeignKeyConstraint(["tenant", "list_id"], ["work_list.tenant", "work_list.id"]),
    Index(None, "ref"),
)


# What opens a view for a while without a case behind it: break-glass, a customer who is present.
access_grant = Table(
    "access_grant",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("agent_id", String, nullable=False),
    Column("ref", String, ForeignKey("subject.ref"), nullable=False),
    Column("reason_code", String, nullable=False),
    Column("starts_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("reviewed_by", String),
    Column("reviewed_at", BigInteger),
    Column("outcome", String),
    Index(None, "ref", "agent_id", "ends_at"),
    Index(None, "tenant", "kind", "starts_at"),
)


presence_code = Table(
    "presence_code",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("ref", String, ForeignKey("subject.ref"), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("used_at", BigInteger),
    Index(None, "ref", "expires_at"),
)


relation = Table(
    "relation",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("ref", String, ForeignKey("subject.ref"), primary_key=True),
    Column("other", String, ForeignKey("subject.ref"), primary_key=True),
    Column("kind", String, nullable=False),
)


tie = Table(
    "tie",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("principal_id", String, primary_key=True),
    Column("ref", String, ForeignKey("subject.ref"), primary_key=True),
    Column("tie", String, nullable=False),
    Index(None, "ref"),
)


# Deliveries of webhooks that were taken in, so that none is taken in twice.
webhook_delivery = Table(
    "webhook_delivery",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("source", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Index(None, "at"),
)
