"""Tables of the log: what is hashed, what lies sealed beside it, and how it is searched.

The clear columns of `detail_event` exist so that the log can be searched; they name agents and
circumstances, never customers, and go with the row when its retention ends.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from guard.store.tables.metadata import METADATA

entry = Table(
    "entry",
    METADATA,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("entry_id", LargeBinary, nullable=False),
    Column("writer", LargeBinary, nullable=False),
    Column("writer_seq", BigInteger, nullable=False),
    Column("leaf", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    UniqueConstraint("entry_id"),
    # INVARIANT: what a commit of unknown outcome wrote cannot be written a second time.
    UniqueConstraint("writer", "writer_seq"),
)


_BY_ACTOR = text("actor <> ''")


detail_event = Table(
    "detail_event",
    METADATA,
    Column("idx", BigInteger, ForeignKey("entry.idx"), primary_key=True, autoincrement=False),
    Column("epoch", String, nullable=False),
    Column("sealed", LargeBinary),
    Column("at", BigInteger, nullable=False),
    Column("kind", SmallInteger, nullable=False),
    Column("tenant", String, nullable=False),
    Column("region", String, nullable=False),
    Column("vendor", String, nullable=False),
    Column("site", String, nullable=False),
    Column("team", String, nullable=False),
    Column("line", Text, nullable=False),
    Column("agent", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("purpose", String, nullable=False),
    Column("link", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("would", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("shown", String),
    Index(None, "tenant", "idx"),
    # What is asked of one agent is always selective; all other questions go by `log_term`.
    Index(None, "tenant", "agent", "idx"),
    Index(
        "ix_detail_event_tenant_actor_idx",
        "tenant",
        "actor",
        "idx",
        sqlite_where=_BY_ACTOR,
        postgresql_where=_BY_ACTOR,
    ),
)


detail_subject = Table(
    "detail_subject",
    METADATA,
    Column("idx", BigInteger, ForeignKey("entry.idx"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("ref", String, nullable=False),
    Column("sealed", LargeBinary),
    Index(None, "ref", "idx"),
)


# Views whose grade a case repaired that came late: derived from `LATE_LINK` entries, so that each
# view gets one of them and the log can show the repaired grade beside the original one.
late_link = Table(
    "late_link",
    METADATA,
    Column("idx", BigInteger, ForeignKey("entry.idx"), primary_key=True, autoincrement=False),
    Column("tenant", String, nullable=False),
    Column("link", String, nullable=False),
)


# Entries of a PostgreSQL that are durable and have no index yet: many writers put them here without
# waiting for one another, the integrator moves them into the tree. `body` is everything else of the
# entry, as `guard.store.pending` packs it.
pending = Table(
    "pending",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("entry_id", LargeBinary, nullable=False),
    Column("writer", LargeBinary, nullable=False),
    Column("writer_seq", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # INVARIANT: as for `entry`; a number is in one of the two tables.
    UniqueConstraint("writer", "writer_seq"),
    # A reveal follows its view at once. Of a table that is filled and emptied all the time, a scan
    # would meet mostly rows that are gone.
    Index(None, "entry_id"),
)


# One row. `range` is the compact range: 32 bytes for each perfect subtree, the largest first.
tree_head = Table(
    "tree_head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("size", BigInteger, nullable=False),
    Column("range", LargeBinary, nullable=False),
    Column("newest_at", BigInteger, nullable=False),
)


checkpoint = Table(
    "checkpoint",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)


facts = Table(
    "facts",
    METADATA,
    Column("id", String, primary_key=True),
    Column("body", Text, nullable=False),
)


bundle_file = Table(
    "bundle_file",
    METADATA,
    Column("digest", String, primary_key=True),
    Column("path", String, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)


clock_rate = Table(
    "clock_rate",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("origin", BigInteger, nullable=False),
    Column("wall_origin", BigInteger, nullable=False),
    Column("rate", Float, nullable=False),
)


outbox_position = Table(
    "outbox_position",
    METADATA,
    Column("worker", String, primary_key=True),
    Column("position", BigInteger, nullable=False),
)


# Writers that ended without a last entry and whose reads were accounted for afterwards.
accounted_writer = Table(
    "accounted_writer",
    METADATA,
    Column("writer", LargeBinary, primary_key=True),
    Column("at", BigInteger, nullable=False),
)


# Missing numbers that the integrator met, until a `GAP` entry tells them.
writer_gap = Table(
    "writer_gap",
    METADATA,
    Column("writer", LargeBinary, primary_key=True),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("before", BigInteger, nullable=False),
)


# One row: how often the right to publish was taken over.
publishing = Table(
    "publishing",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("fence", BigInteger, nullable=False),
)


# Which entries of a finished block of indexes have a term (`guard.store.log_terms`): a bit each.
log_term = Table(
    "log_term",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("term", String, primary_key=True),
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("places", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)


# The finished blocks: the latest time up to the end of each, how late an entry ever was, and the
# earliest time in the block itself.
log_block = Table(
    "log_block",
    METADATA,
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("high", BigInteger, nullable=False),
    Column("late", BigInteger, nullable=False),
    Column("low", BigInteger, nullable=False),
    Index(None, "high", "block"),
)
