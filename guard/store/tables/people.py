"""Tables of people, customers and what they sign in with."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from guard.store.tables.metadata import METADATA

principal = Table(
    "principal",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("region", String, nullable=False),
    Column("vendor", String, nullable=False),
    Column("site", String, nullable=False),
    Column("team", String, nullable=False),
    Column("line", Text, nullable=False),
    Column("role", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("shift", Text),
    Column("is_active", Boolean, nullable=False),
    Column("desk", String, nullable=False),
    Column("log_scope", String, nullable=False, server_default="tenant"),
)


subject = Table(
    "subject",
    METADATA,
    Column("ref", String, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("region", String, nullable=False),
    Column("source", String, nullable=False),
    Column("key_blind", LargeBinary, nullable=False),
    Column("sealed_key", LargeBinary),
    Column("bucket", String, nullable=False),
    Column("wrapped_key", LargeBinary),
    Column("next_n", BigInteger, nullable=False),
    Column("tier", String, nullable=False),
    Column("is_decoy", Boolean, nullable=False),
    UniqueConstraint("tenant", "source", "key_blind"),
    Index(None, "bucket"),
)


identifier = Table(
    "identifier",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("blind", LargeBinary, primary_key=True),
    Column("ref", String, ForeignKey("subject.ref"), primary_key=True),
    Index(None, "ref"),
)


api_key = Table(
    "api_key",
    METADATA,
    Column("id", String, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("client", String, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("may_assert", Boolean, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)


console_session = Table(
    "console_session",
    METADATA,
    Column("digest", LargeBinary, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("principal_id", String, nullable=False),
    Column("csrf", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("mfa_at", BigInteger),
)


idempotent_reply = Table(
    "idempotent_reply",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("principal_id", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)
