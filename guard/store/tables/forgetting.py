"""Tables of erasures, legal holds, hold-backs and disputes."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    String,
    Table,
    Text,
)

from guard.store.tables.metadata import METADATA

# Entries that histories leave out while an investigation runs.
hold_back = Table(
    "hold_back",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("agent_id", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("proposed_by", String, nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("approved_by", String),
    Column("approved_at", BigInteger),
    Column("ended_at", BigInteger),
    Index(None, "tenant", "ends_at"),
)


# Which entries were disputed by their customer: derived from `DISPUTE` entries, so that each gets
# one of them.
dispute = Table(
    "dispute",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("of", String, primary_key=True),
    Column("id", String, nullable=False),
    Column("ref", String, nullable=False),
    Column("at", BigInteger, nullable=False),
)


# Customers who are to be, or were, forgotten; `ref` leads to nobody once the key is destroyed.
erasure = Table(
    "erasure",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("ref", String, ForeignKey("subject.ref"), nullable=False),
    Column("ground", String, nullable=False),
    Column("state", String, nullable=False),
    Column("proposed_by", String, nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    Column("approved_by", String),
    Column("approved_at", BigInteger),
    Column("bucket", String, nullable=False),
    Column("key_id", String, nullable=False),
    Column("entry_id", String),
    Column("done_at", BigInteger),
    Column("is_noted", Boolean, nullable=False),
    Index(None, "state"),
    Index(None, "ref"),
)


legal_hold = Table(
    "legal_hold",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("scope", String, nullable=False),
    Column("value", String, nullable=False),
    Column("ref", String, ForeignKey("subject.ref")),
    Column("since", BigInteger),
    Column("until", BigInteger),
    Column("ground", String, nullable=False),
    Column("matter", String, nullable=False),
    Column("set_by", String, nullable=False),
    Column("set_at", BigInteger, nullable=False),
    Column("lift_by", String),
    Column("lift_at", BigInteger),
    Column("lifted_by", String),
    Column("lifted_at", BigInteger),
)
