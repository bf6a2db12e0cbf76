"""What the guard needs from the rooms above it, stated as protocols.

`guard.store` implements the storage side over SQL, `guard.vault` the keys, `guard.sources` the
records; tests may implement a piece in memory. Nothing in this package does anything.
`api.bootstrap` introduces the implementations.

One writer, many readers: all changes go through `Committer.run`, on one thread; a change and its
ledger entry commit together or not at all. Reads go through `ReadView`, a consistent snapshot.
"""

from guard.ports.log_tables import LogTables
from guard.ports.outside import (
    ContactChannel,
    CountsReads,
    DetailVault,
    IdentifierLookup,
    Message,
    OutsideClient,
    OutsideReply,
    RecordSource,
)
from guard.ports.reading import Readers, ReadView
from guard.ports.writing import (
    Committer,
    Outbox,
    PendingEntries,
    PublishingRight,
    Store,
    Transaction,
    UnitOfWork,
)

__all__ = [
    "Committer",
    "ContactChannel",
    "CountsReads",
    "DetailVault",
    "IdentifierLookup",
    "LogTables",
    "Message",
    "Outbox",
    "OutsideClient",
    "OutsideReply",
    "PendingEntries",
    "PublishingRight",
    "ReadView",
    "Readers",
    "RecordSource",
    "Store",
    "Transaction",
    "UnitOfWork",
]
