"""Opens the parts of one entry for a bundle of evidence: nonce and exact bytes.

What is shown was checked first: a part that does not match its leaf is an error of the log and
never leaves as evidence. What was erased, and what is about customers that were not asked for, is
there by its hash, which says nothing.
"""

from collections.abc import Mapping

import msgspec

from guard.entries import StoredEntry
from guard.evidence.manifest import ShownEntry, ShownPart
from guard.ledger.entry import check_stored, open_entry, tenant_of
from guard.ledger.merkle import HASH_SIZE
from guard.ports import DetailVault
from guard.rows import SubjectRow

_encode = msgspec.json.Encoder().encode


def show(
    entry: StoredEntry,
    vault: DetailVault,
    subjects: Mapping[str, SubjectRow],
    *,
    only: str | None,
    leaf: bool,
) -> bytes:
    """The line of an entry; of its customers all, or `only` one; with its leaf if asked.

    Raises:
        ProofError: The entry does not hold; `index` names it.
        KeyUnavailableError: A key that should be there is not.
    """
    asked = {ref: row for ref, row in subjects.items() if only in {None, ref}}
    entry_id = check_stored(entry).entry_id
    event = entry.sealed_event or b""
    parts = [_hidden(event)]
    if len(event) > HASH_SIZE:
        open_entry(entry, vault, asked)
        plain = vault.open_event(tenant_of(entry.epoch), entry.epoch, entry_id, event[HASH_SIZE:])
        parts = [ShownPart(open=plain)]
    for ref, sealed in zip(entry.refs, entry.sealed_subjects, strict=True):
        row, part = asked.get(ref), sealed or b""
        if row is None or row.wrapped_key is None or len(part) == HASH_SIZE:
            parts.append(_hidden(part))
        else:
            plain = vault.open_subject(row, entry_id, part[HASH_SIZE:])
            parts.append(ShownPart(open=plain))
    shown = ShownEntry(index=entry.index, leaf=entry.leaf if leaf else None, parts=tuple(parts))
    return _encode(shown) + b"\n"


def _hidden(part: bytes) -> ShownPart:
    return ShownPart(hash=part[:HASH_SIZE].hex())
