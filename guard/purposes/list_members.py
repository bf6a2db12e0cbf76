"""Who is on a work list: whom its rows name, the digest of all, and what became of the rows."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from guard.ports import ReadView
from guard.purposes.list_rows import BadRow, ListRow

# Bad rows that are reported one by one; the others are counted.
REPORTED = 100


@dataclass(slots=True, kw_only=True)
class Upload:
    """What became of an uploaded list's rows; `faults` holds the first of the `rejected`."""

    rows: int = 0
    rejected: int = 0
    duplicates: int = 0
    faults: list[BadRow] = field(default_factory=list)

    def reject(self, bad: Sequence[BadRow]) -> None:
        """Count rows that are left out, and keep those that are reported."""
        self.rejected += len(bad)
        self.faults.extend(bad[: REPORTED - len(self.faults)])


def digest_of(refs: Iterable[str]) -> str:
    """SHA-256, in hex, over the references in the order of their bytes, each behind its length.

    Each comes once, in any order: equal lists have equal digests however they were uploaded.
    """
    return counted(refs)[0]


def counted(refs: Iterable[str]) -> tuple[str, int]:
    """The digest of references, and how many they are."""
    # Sorted here, because engines sort texts in ways of their own. At most `MAX_ROWS` are held.
    ordered = sorted(ref.encode() for ref in refs)
    digest = hashlib.sha256(b"recordguard work list v1\n")
    for ref in ordered:
        digest.update(len(ref).to_bytes(4, "big") + ref)
    return digest.hexdigest(), len(ordered)


def resolved(
    view: ReadView, tenant: str, chunk: Sequence[ListRow], blinds: dict[int, bytes]
) -> dict[int, str]:
    """The reference of each row's customer, by line; lines without one are absent."""
    known = view.known_refs(tenant, {row.customer for row in chunk if row.customer is not None})
    by_source: dict[str, list[int]] = {}
    found = {}
    for row in chunk:
        if row.customer is None:
            by_source.setdefault(row.source, []).append(row.line)
        elif row.customer in known:
            found[row.line] = row.customer
    for source, lines in by_source.items():
        refs = view.refs_by_blind(tenant, source, {blinds[line] for line in lines})
        found |= {line: refs[blinds[line]] for line in lines if blinds[line] in refs}
    return found
