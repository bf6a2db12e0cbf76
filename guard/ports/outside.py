"""What lies outside the store: records, customers' addresses, identifiers, keys."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from guard.clock import Micros
from guard.rows import (
    RawRecord,
    SubjectRow,
)


class RecordSource(Protocol):
    """*Protocol* of a system that holds customer records."""

    name: str

    async def fetch(self, key: str, paths: frozenset[str]) -> RawRecord | None:
        """Read the top-level field names in `paths` of one record; None: no such record.

        Raises:
            SourceError: The source failed, timed out or answered in an unknown shape.
        """
        ...

    async def check(self) -> None:
        """Raise SourceError unless the source can be read right now."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...


@runtime_checkable
class CountsReads(Protocol):
    """*Protocol* of a source that counts by itself what it answers to this broker's credential.

    Optional beside `RecordSource`: what a source has answered beyond the broker's own count was
    read by somebody else with the same credential.
    """

    async def reads_served(self) -> int:
        """Records that it was asked for so far; never less than an earlier answer.

        Raises:
            SourceError: The source cannot be asked right now.
        """
        ...


class IdentifierLookup(Protocol):
    """*Protocol* of finding a customer by an exact identifier; a source may have no index."""

    async def find(self, tenant: str, kind: str, value: str) -> tuple[str, ...]:
        """References of the customers that have exactly this identifier, at most two.

        `kind` is one of those of the field catalogue (`email`, `phone`, `account`...). A hit and a
        miss take the same reads.

        Raises:
            InvalidRequestError: There is no such kind, or the value cannot be one of it.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a contact carries: `text` for a mail or message; a call has none."""

    subject: str = ""
    text: str = ""
    sender: str = ""
    reference: str = ""


class ContactChannel(Protocol):
    """*Protocol* of what calls or writes to a customer for an agent who never sees the address."""

    name: str

    async def deliver(self, address: str, message: Message) -> str:
        """Deliver; returns the channel's own id of it. `address` is used and forgotten.

        Raises:
            SourceError: It was not accepted, or nobody knows whether it was.
        """
        ...


@dataclass(frozen=True, slots=True)
class OutsideReply:
    """What a witness or a time-stamping authority answered."""

    status: int
    body: bytes


class OutsideClient(Protocol):
    """*Protocol* of the way to witnesses and time-stamping authorities that the operator named.

    What is sent is public. A redirect is an answer like any other, never followed.
    """

    async def post(self, url: str, content: bytes, content_type: str) -> OutsideReply:
        """Post `content`.

        Raises:
            UnavailableError: There was no answer, or one that is too large.
        """
        ...

    async def get(self, url: str) -> OutsideReply:
        """Fetch what is at `url`; raises as `post` does."""
        ...

    async def close(self) -> None:
        """Give back connections."""
        ...


class DetailVault(Protocol):
    """*Protocol* of the keys that hide an entry's detail; `guard.vault` implements it."""

    def seal_event(
        self, tenant: str, at: Micros, entry_id: bytes, plain: bytes
    ) -> tuple[str, bytes]:
        """Seal an event part; returns (epoch, sealed)."""
        ...

    def open_event(self, tenant: str, epoch: str, entry_id: bytes, sealed: bytes) -> bytes:
        """Open an event part.

        Raises:
            KeyUnavailableError: The epoch's key is gone or the bytes were changed.
        """
        ...

    def event_opener(self, tenant: str, epoch: str) -> Callable[[bytes, bytes], bytes]:
        """`open_event` of one epoch, for who opens very many: takes entry id and sealed bytes.

        Raises:
            KeyUnavailableError: The epoch's key is gone.
        """
        ...

    def seal_subject(self, subject: SubjectRow, entry_id: bytes, plain: bytes) -> bytes:
        """Seal a subject part under the subject's own key."""
        ...

    def open_subject(self, subject: SubjectRow, entry_id: bytes, sealed: bytes) -> bytes:
        """Open a subject part.

        Raises:
            KeyUnavailableError: The subject was erased or the bytes were changed.
        """
        ...

    def tag(self, subject: SubjectRow, n: int) -> bytes:
        """The 16 bytes that mark a subject's n-th entry; unlinkable without its key."""
        ...

    def tag_key(self, subject: SubjectRow) -> bytes:
        """The key that makes the subject's tags and nothing else; it opens no part."""
        ...
