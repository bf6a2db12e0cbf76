"""What the one path is put together from."""

from collections.abc import Mapping
from dataclasses import dataclass

from guard.admission import GroupCommitter
from guard.clock import Clock
from guard.in_force import Policies
from guard.ports import ContactChannel, IdentifierLookup, Readers, RecordSource
from guard.vault.keyring import Keyring


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The services behind the door; `sources` by the name enrolment knows, `channels` by theirs.

    Without a `lookup` nobody can be found by an identifier.
    """

    readers: Readers
    committer: GroupCommitter
    policies: Policies
    sources: Mapping[str, RecordSource]
    keyring: Keyring
    clock: Clock
    source_deadline_s: float
    lookup: IdentifierLookup | None
    channels: Mapping[str, ContactChannel]
