"""Opening pages of the log for a file: in bulk, and only what the file holds.

Event parts are opened by their seals alone, which bind each to its entry, tenant and month, and are
compared with what the query asked for: whoever edits the clear columns cannot move an entry into
another's file. That every entry is in the tree is shown by the raw export and the bundle.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import msgspec

from guard.clock import Micros
from guard.entries import EntryKind, SealedPart
from guard.errors import ProofError
from guard.exports.row import KIND_NAMES, ExportRow
from guard.ledger.entry import NONCE_SIZE, open_parts
from guard.ledger.merkle import HASH_SIZE
from guard.ports import DetailVault, ReadView
from guard.rows import LogQuery, SubjectRow
from policies.model import Form

_KINDS = {kind.value: kind for kind in EntryKind}


class Head(msgspec.Struct, gc=False):
    """Of an event part, what is counted and compared: in the order of `EventPart`."""

    at: Micros
    kind: str
    tenant: str
    agent: str
    vendor: str = ""
    team: str = ""
    purpose: str = ""
    region: str = ""
    actor: str = ""
    link: str = ""


class Shown(msgspec.Struct, gc=False):
    """Of an event part, the field classes with the form that each took."""

    classes: dict[str, str] = {}


_head = msgspec.json.Decoder(Head).decode
_shown = msgspec.json.Decoder(Shown).decode
_PLAIN = Form.PLAIN.name.lower()
_SEEN = frozenset({Form.MASK.name.lower(), _PLAIN})


class Page(NamedTuple):
    """A page: its rows, vendor and region of each, how many entries were read down to which index.

    An entry whose event part was erased with its agent is read and is no row.
    """

    rows: list[ExportRow]
    vendors: list[str]
    regions: list[str]
    read: int
    lowest: int


def open_page(view: ReadView, vault: DetailVault, query: LogQuery, *, customers: bool) -> Page:
    """A page of the log, newest first.

    Raises:
        ProofError: A part was lost, changed or moved; `index` names the entry.
        KeyUnavailableError: A key that should be there is not.
    """
    return open_parts_of(view, vault, view.export_parts(query), query, customers=customers)


def open_parts_of(
    view: ReadView,
    vault: DetailVault,
    parts: Sequence[SealedPart],
    query: LogQuery,
    *,
    customers: bool,
) -> Page:
    """As `open_page`, of parts that were read already."""
    people = _people(view, vault, parts) if customers else {}
    wanted = _wanted(query)
    is_about_fields = query.field is not None or query.is_clear
    is_timed = query.since is not None or query.until is not None
    rows: list[ExportRow] = []
    vendors: list[str] = []
    regions: list[str] = []
    opened = open_parts(parts, query.tenant, vault)
    for (index, kind, part), (_, entry_id, *_) in zip(opened, parts, strict=True):
        if not part:
            continue
        head = _head(part)
        named = _KINDS[kind]
        if (
            head.kind != KIND_NAMES[named]
            or (is_timed and not _in_time(query, head))
            or query.agent_id not in {None, head.agent, head.actor}
            or (query.regions and head.region not in query.regions)
            or (wanted and any(getattr(head, name) != value for name, value in wanted))
            or (is_about_fields and not _has_shown(query, part))
        ):
            raise ProofError(f"entry {index}: clear columns contradict the parts", index=index)
        refs, subjects = people.get(index, ((), ()))
        rows.append(ExportRow(index, entry_id.hex(), named, head.at, part, refs, subjects))
        vendors.append(head.vendor)
        regions.append(head.region)
    return Page(rows, vendors, regions, len(parts), parts[-1][0] if parts else 0)


def _wanted(query: LogQuery) -> list[tuple[str, str]]:
    asked = {
        "team": query.team,
        "vendor": query.vendor,
        "purpose": query.purpose,
        "link": query.link,
    }
    return [(name, value) for name, value in asked.items() if value is not None]


def _has_shown(query: LogQuery, part: bytes) -> bool:
    """Whether something of the field class (any, if none is named) was shown as asked."""
    return any(
        query.field in {None, cls} and (form == _PLAIN if query.is_clear else form in _SEEN)
        for cls, form in _shown(part).classes.items()
    )


def _in_time(query: LogQuery, head: Head) -> bool:
    return (query.since is None or head.at >= query.since) and (
        query.until is None or head.at < query.until
    )


def _people(
    view: ReadView, vault: DetailVault, parts: Sequence[SealedPart]
) -> dict[int, tuple[tuple[str, ...], tuple[bytes | None, ...]]]:
    """References and opened subject parts by entry."""
    ids = {index: entry_id for index, entry_id, *_ in parts}
    sealed = view.subject_parts(ids)
    known = view.subjects({ref for _, ref, _ in sealed})
    found: dict[int, tuple[tuple[str, ...], tuple[bytes | None, ...]]] = {}
    for index, ref, stored in sealed:
        refs, opened = found.get(index, ((), ()))
        part = _open(vault, known.get(ref), ids[index], stored, index)
        found[index] = ((*refs, ref), (*opened, part))
    return found


def _open(
    vault: DetailVault,
    subject: SubjectRow | None,
    entry_id: bytes,
    stored: bytes | None,
    index: int,
) -> bytes | None:
    if stored is None or len(stored) < HASH_SIZE:
        raise ProofError(f"entry {index}: a part was lost with its hash", index=index)
    if subject is None or subject.wrapped_key is None or len(stored) == HASH_SIZE:
        return None
    try:
        return vault.open_subject(subject, entry_id, stored[HASH_SIZE:])[NONCE_SIZE:]
    except ProofError as error:
        raise ProofError(f"entry {index}: {error}", index=index) from None


def paged(query: LogQuery, before: int, limit: int) -> LogQuery:
    """The page of a query below an index."""
    return replace(query, before=before, limit=limit)
