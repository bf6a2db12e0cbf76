"""Tables of what leaves: files and live pushes."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from guard.store.tables.metadata import METADATA

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
