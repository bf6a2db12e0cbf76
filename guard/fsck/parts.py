"""Checks the sealed parts of one entry, and the clear columns beside them, against its leaf."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Protocol

import msgspec

from guard.entries import EventPart, SubjectPart
from guard.errors import KeyUnavailableError, ProofError
from guard.fsck.faults import Faults, Remedy
from guard.ledger.entry import NONCE_SIZE, Leaf, commit, inner_hash, tenant_of
from guard.ledger.merkle import HASH_SIZE
from guard.ports import DetailVault
from guard.rows import SubjectRow

EVENTS = "detail_event"
SUBJECTS = "detail_subject"

_event = msgspec.json.Decoder(EventPart).decode
_subject = msgspec.json.Decoder(SubjectPart).decode


class Explained(Protocol):
    """*Protocol* of what entries say was forgotten on purpose."""

    def may_lack_subject(self, tenant: str, ref: str, index: int) -> bool:
        """Whether the part of entry `index` about this customer may be gone."""
        ...

    def may_lack_event(self, index: int) -> bool:
        """Whether the whole detail of entry `index` may be gone."""
        ...


class NothingForgotten:
    """A log in which every part must still be there."""

    def may_lack_subject(self, tenant: str, ref: str, index: int) -> bool:
        """See `Explained.may_lack_subject`."""
        del self, tenant, ref, index
        return False

    def may_lack_event(self, index: int) -> bool:
        """See `Explained.may_lack_event`."""
        del self, index
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What lies beside a leaf: the event part and its columns, the subject parts in order."""

    epoch: str
    event: bytes | None
    clear: Mapping[str, str | int]
    subjects: Sequence[tuple[str, bytes | None]]


class PartsCheck:
    """Opens and compares; says what is wrong to `faults`."""

    def __init__(self, vault: DetailVault, explained: Explained, faults: Faults) -> None:
        """Open with `vault`; what is gone must be `explained`."""
        self._vault, self._explained, self._faults = vault, explained, faults
        self.erased = 0

    def check(
        self, index: int, leaf: Leaf, beside: Beside, customers: Mapping[str, SubjectRow]
    ) -> EventPart | None:
        """Check the parts of one entry; its event part, if it opens."""
        before = self._faults.count
        event = self._open_event(index, leaf, beside)
        if event is not None:
            self._compare_columns(index, leaf, event, beside.clear)
        for position, (ref, part) in enumerate(beside.subjects):
            self._check_subject(index, leaf, beside.epoch, (position, ref, part), customers)
        hashes = [
            (part or b"")[:HASH_SIZE] for part in (beside.event, *(p for _, p in beside.subjects))
        ]
        if self._faults.count == before and not compare_digest(commit(hashes), leaf.commitment):
            self._say(
                SUBJECTS,
                index,
                "parts are not those that the leaf committed to: a row is missing,"
                " too many or in another place",
            )
        return event

    def _say(self, table: str, index: int, what: str, remedy: Remedy = Remedy.ROW) -> None:
        self._faults.add(table, index, what, remedy)

    def _open_event(self, index: int, leaf: Leaf, beside: Beside) -> EventPart | None:
        part = beside.event
        if not isinstance(part, bytes) or len(part) < HASH_SIZE:
            self._say(EVENTS, index, "the event part was lost with its hash")
            return None
        if len(part) == HASH_SIZE:
            self.erased += 1
            if not self._explained.may_lack_event(index):
                self._say(EVENTS, index, "the event part is gone and no entry explains it")
            return None
        try:
            tenant = tenant_of(beside.epoch)
            plain = self._vault.open_event(tenant, beside.epoch, leaf.entry_id, part[HASH_SIZE:])
            return _event(_hashed(plain, part))
        except (ProofError, msgspec.MsgspecError, ValueError):
            self._say(EVENTS, index, "the event part was changed or moved")
        except KeyUnavailableError as error:
            self._say(EVENTS, index, f"the event part does not open ({error})", Remedy.KEY)
        return None

    def _compare_columns(
        self, index: int, leaf: Leaf, event: EventPart, clear: Mapping[str, str | int]
    ) -> None:
        """The columns that the log is searched by say what the sealed part says, or views hide."""
        line = msgspec.json.encode(event.line).decode()
        said = {"kind": leaf.kind.value, "line": line}
        for name, value in clear.items():
            if value != (said[name] if name in said else getattr(event, name, None)):
                self._say(EVENTS, index, f"column `{name}` is not what the sealed part says")
        if event.at != leaf.at:
            self._say(EVENTS, index, "the event part has another time than the leaf")

    def _check_subject(
        self,
        index: int,
        leaf: Leaf,
        epoch: str,
        held: tuple[int, str, bytes | None],
        customers: Mapping[str, SubjectRow],
    ) -> None:
        position, ref, part = held
        place = f"part {position}"
        if not isinstance(part, bytes) or len(part) < HASH_SIZE:
            self._say(SUBJECTS, index, f"{place} was lost with its hash")
            return
        row = customers.get(ref)
        if row is None:
            self._say(SUBJECTS, index, f"{place} names a customer who does not exist")
            return
        if len(part) == HASH_SIZE or row.wrapped_key is None:
            self.erased += 1
            if not self._explained.may_lack_subject(tenant_of(epoch), ref, index):
                self._say(SUBJECTS, index, f"{place} is gone and no entry explains it")
            return
        try:
            self._open_subject(row, leaf, part)
        except (ProofError, msgspec.MsgspecError, ValueError):
            self._say(SUBJECTS, index, f"{place} was changed, moved or relabelled")
        except KeyUnavailableError as error:
            self._say(SUBJECTS, index, f"{place} does not open ({error})", Remedy.KEY)

    def _open_subject(self, row: SubjectRow, leaf: Leaf, part: bytes) -> None:
        plain = self._vault.open_subject(row, leaf.entry_id, part[HASH_SIZE:])
        if _subject(_hashed(plain, part)).customer != row.ref:
            raise ProofError("the part is about another customer")


def _hashed(plain: bytes, part: bytes) -> bytes:
    """The bytes of a part that was opened, after comparing it with its hash."""
    if not compare_digest(inner_hash(plain), part[:HASH_SIZE]):
        raise ProofError("the part is not the one that was hashed")
    return plain[NONCE_SIZE:]
