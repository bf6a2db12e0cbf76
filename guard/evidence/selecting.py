"""Which entries a bundle of evidence shows: the caller's part of the log, and their places.

The places alone are held, eight bytes for each, and nothing is held open while they are collected:
what is read lies below a published size, where nothing moves. What may change is who is forgotten,
and a page that no longer is what was selected breaks the bundle off.

A customer's bundle proves that it holds *all* entries about that customer. So it is for those alone
whose part of the log all of them lie in.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from guard.clock import Micros
from guard.entries import StoredEntry
from guard.errors import AccessDeniedError, ConflictError, InvalidRequestError, NotFoundError
from guard.ledger.checkpoint import Checkpoint, parse_text
from guard.ledger.note import parse_note
from guard.log_scope import is_within, scoped
from guard.ports import Readers, ReadView
from guard.principals import LogScope, Principal
from guard.rows import LogQuery, SubjectRow

# Entries opened, and named in one `EXPORT` entry, at a time.
CHUNK = 500
MAX_PURPOSE = 500

# Entries looked at in one read; only their places are kept.
_LOOKED_AT = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What evidence is asked for, and why: one of a customer, somebody's time, a time, a range."""

    purpose: str
    customer: str | None = None
    agent: str | None = None
    since: Micros | None = None
    until: Micros | None = None
    start: int | None = None
    end: int | None = None

    def check(self) -> None:
        """Refuse what asks for nothing, for two things at once, or without a purpose.

        Raises:
            InvalidRequestError: It does.
        """
        is_range = self.start is not None or self.end is not None
        is_time = self.since is not None or self.until is not None
        asked = (self.customer is not None, self.agent is not None or is_time, is_range)
        if sum(asked) > 1:
            raise InvalidRequestError("ask for one customer, or one agent and time, or one range")
        if not self.purpose.strip() or len(self.purpose) > MAX_PURPOSE:
            raise InvalidRequestError(
                f"say in at most {MAX_PURPOSE} characters what the evidence is for"
            )

    def query(self, tenant: str) -> LogQuery:
        """The same, as a question to the log."""
        return LogQuery(
            tenant=tenant,
            ref=self.customer,
            agent_id=self.agent,
            since=self.since,
            until=self.until,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one bundle is taken from; `alone` counts the entries about the customer alone."""

    by: Principal
    question: Question
    note: bytes
    checkpoint: Checkpoint
    query: LogQuery
    places: "array[int]"
    start: int
    end: int
    alone: int

    @property
    def is_whole(self) -> bool:
        """Whether every leaf of the range is in the bundle, not only those that were asked for."""
        asked = self.question
        return (asked.agent, asked.since, asked.until) == (None, None, None)

    def filter(self) -> dict[str, str]:
        """What selects the entries, as the manifest says it."""
        query = self.query
        asked = {
            "customer": query.ref,
            "agent": query.agent_id,
            "since": None if query.since is None else str(query.since),
            "until": None if query.until is None else str(query.until),
            "vendor": query.vendor,
            "team": query.team,
            "regions": ",".join(query.regions) if query.regions else None,
        }
        return {name: value for name, value in asked.items() if value is not None}

    def page(self, view: ReadView, at: int) -> list[StoredEntry]:
        """The entries shown from the `at`th on, at most a chunk, oldest first.

        Raises:
            ConflictError: They are not those that were selected.
        """
        places: Sequence[int] = self.places[at : at + CHUNK]
        query = replace(self.query, before=places[-1] + 1, limit=len(places))
        found = list(reversed(view.search(query)))
        if [entry.index for entry in found] != list(places):
            raise ConflictError(
                "what this bundle holds has changed since, somebody may have been forgotten: "
                "ask for it anew"
            )
        return found


async def select(readers: Readers, by: Principal, question: Question, note: bytes) -> Taken:
    """What a bundle shows of the log at a published checkpoint.

    Raises:
        AccessDeniedError: It is not of the caller's part of the log.
        InvalidRequestError: The range is not of the log.
        NotFoundError: The customer is unknown, or was forgotten.
    """
    checkpoint = parse_text(parse_note(note).text)
    size = checkpoint.size
    start, end = question.start or 0, size if question.end is None else question.end
    if not 0 <= start <= end <= size:
        raise InvalidRequestError(f"the range must lie within the {size} entries published")
    query = question.query(by.tenant)
    own, _ = scoped(by, query)
    if own is None:
        raise AccessDeniedError("what you ask for is of a region whose details are not yours")
    found, alone, before = array("q"), 0, end
    if question.customer is not None:
        await _check_customer(readers, by, question.customer)
        while page := await _look(readers, query, before):
            if not all(is_within(entry, own) for entry in page):
                raise AccessDeniedError(
                    "some of what there is about this customer is of another region: ask for a time"
                )
            alone += sum(entry.refs == (question.customer,) for entry in page)
            found.extend(entry.index for entry in page)
            before = page[-1].index
    else:
        while before > start and (page := await _look(readers, own, before)):
            found.extend(entry.index for entry in page if entry.index >= start)
            before = page[-1].index
    found.reverse()
    if question.agent is not None or question.since is not None or question.until is not None:
        start, end = (found[0], found[-1] + 1) if found else (0, 0)
    return Taken(
        by=by,
        question=question,
        note=note,
        checkpoint=checkpoint,
        query=query if question.customer is not None else own,
        places=found,
        start=start,
        end=end,
        alone=alone,
    )


async def _look(readers: Readers, query: LogQuery, before: int) -> list[StoredEntry]:
    asked = replace(query, before=before, limit=_LOOKED_AT)
    return await readers.read(partial(_search, query=asked))


def _search(view: ReadView, query: LogQuery) -> list[StoredEntry]:
    return view.search(query)


async def _check_customer(readers: Readers, by: Principal, ref: str) -> None:
    if by.log_scope in {LogScope.VENDOR, LogScope.TEAM}:
        raise AccessDeniedError(
            "a customer's bundle holds all that there is, and a part of the log is yours: ask for "
            "a time"
        )
    await readers.read(lambda view: subject_of(view, by.tenant, ref))


def subject_of(view: ReadView, tenant: str, ref: str) -> SubjectRow:
    """The customer's row.

    Raises:
        NotFoundError: There is none in this tenant, or no key any more that makes the tags.
    """
    subject = view.subject(tenant, ref)
    if subject is None:
        raise NotFoundError("unknown customer reference")
    return subject
