"""All tables, for both engines; Alembic compares them with its scripts.

Tenant comes first in every key that a customer or an agent could be found by. Times are domain
microseconds in 64 bits, lists and small structures are JSON text, and nothing here holds a
customer's value in the clear: `sealed*` and `wrapped*` columns hold what only the vault can open.

The clear columns of `detail_event` exist so that the log can be searched; they name agents and
circumstances, never customers, and go with the row when its retention ends.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

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

identifier = Table(
    "identifier",
    METADATA,
    Column("tenant", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("blind", LargeBinary, primary_key=True),
    Column("ref", String, ForeignKey("subject.ref"), primary_key=True),
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

# One row per principal key: what every admission locks, and what a suspension changes. A rung is
# in force while its `_until` lies ahead, so that nothing has to run when a response ends.
budget_principal = Table(
    "budget_principal",
    METADATA,
    Column("key", String, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("suspended_until", BigInteger),
    Column("notified_until", BigInteger),
    Column("mask_more_until", BigInteger),
    Column("explained_only_until", BigInteger),
)

budget_counter = Table(
    "budget_counter",
    METADATA,
    Column("key", String, primary_key=True),
    Column("measure", String, primary_key=True),
    Column("window", String, primary_key=True),
    Column("used", Integer, nullable=False),
    Column("edge", BigInteger, nullable=False),
)

budget_mark = Table(
    "budget_mark",
    METADATA,
    Column("key", String, primary_key=True),
    Column("ref", String, primary_key=True),
    Column("last", BigInteger, nullable=False),
    Index(None, "key", "last"),
)

budget_slot = Table(
    "budget_slot",
    METADATA,
    Column("key", String, primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("views", Integer, nullable=False),
)

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

# The finished blocks: the latest time up to the end of each, and how late an entry ever was.
log_block = Table(
    "log_block",
    METADATA,
    Column("block", BigInteger, primary_key=True, autoincrement=False),
    Column("high", BigInteger, nullable=False),
    Column("late", BigInteger, nullable=False),
    Index(None, "high", "block"),
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

# One row for each file of the log that somebody asked for. `order` is what was asked, `before` the
# index down to which it has left, `sha256` that of the whole file (empty: it is not complete).
export_job = Table(
    "export_job",
    METADATA,
    Column("id", String, primary_key=True),
    Column("tenant", String, nullable=False),
    Column("requested_by", String, nullable=False),
    Column("order", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("before", BigInteger, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("entries", BigInteger, nullable=False),
    Column("octets", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
)

export_chunk = Table(
    "export_chunk",
    METADATA,
    Column("job", String, ForeignKey("export_job.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("octets", BigInteger, nullable=False),
    Column("sha256", LargeBinary, nullable=False),
)

# Where each live push stands: `position` is the index of the last entry that it has taken. One
# process at a time pushes: `holder`, until `held_until` or until it says otherwise.
sink = Table(
    "sink",
    METADATA,
    Column("name", String, primary_key=True),
    Column("digest", String, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("next_try", BigInteger, nullable=False),
    Column("holder", String, nullable=False),
    Column("held_until", BigInteger, nullable=False),
)
