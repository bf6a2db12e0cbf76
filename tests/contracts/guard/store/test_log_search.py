"""Questions to a log of several blocks, against reading all of it, on each engine."""

import os
from collections.abc import Iterator
from dataclasses import replace
from random import Random  # noqa: TID251 - a made-up log, the same in every run

import pytest

from guard.entries import LOOKS, EntryKind, EventPart, SealedEntry
from guard.rows import LogQuery
from guard.store import SqlStore, log_terms
from tests.support.log import settle
from tests.support.makers import NOON, make_entry, make_subject
from tests.support.sealing import PlainSealer

TENANTS, VENDORS, TEAMS = ("acme", "other"), ("v1", "v2", "v3"), ("t1", "t2", "t_2")
REGIONS, PURPOSES, LINKS = ("eu", "us", ""), ("support_case", "outreach", ""), ("owner", "none")
KINDS = (EntryKind.VIEW, EntryKind.REVEAL, EntryKind.CASE)
CLASSES: tuple[dict[str, str], ...] = (
    {},
    {"contact": "mask"},
    {"contact": "plain", "free_text": "hide"},
    {"contacts": "plain"},
)
REFS = tuple(f"c{n}" for n in range(5))
SIZE = 420
QUESTIONS = 400 if os.environ.get("RECORDGUARD_FULL") else 60


def drawn(chance: Random, n: int) -> tuple[EventPart, EntryKind, tuple[str, ...]]:
    kind = chance.choice(KINDS)
    late = chance.choice((0, 0, 0, 7, 40))
    refs = tuple(chance.sample(REFS, chance.choice((0, 1, 1, 2))))
    event = make_entry(
        kind,
        at=NOON + n - late,
        tenant=chance.choice(TENANTS),
        vendor=chance.choice(VENDORS),
        team=chance.choice(TEAMS),
        region=chance.choice(REGIONS),
        purpose=chance.choice(PURPOSES),
        link=chance.choice(LINKS),
        agent=chance.choice(("a1", "a2", "a3")),
        actor=chance.choice(("", "", "bot")),
        classes=chance.choice(CLASSES),
    ).event
    return event, kind, refs


def holds(query: LogQuery, event: EventPart, kind: EntryKind, refs: tuple[str, ...]) -> bool:
    """What a question means, in the simplest words."""
    seen = {
        cls
        for cls, form in event.classes.items()
        if form == "plain" or (form == "mask" and not query.is_clear)
    }
    return (
        event.tenant == query.tenant
        and (query.ref is None or query.ref in refs)
        and (query.agent_id is None or query.agent_id in {event.agent, event.actor})
        and all(
            getattr(query, name) in {None, getattr(event, name)}
            for name in ("team", "vendor", "purpose", "link")
        )
        and (query.field is None or query.field in seen)
        and (not query.is_clear or bool(seen))
        and (not query.kinds or kind in query.kinds)
        and (not query.regions or event.region in query.regions)
        and event.region not in query.not_regions
        and (query.since is None or event.at >= query.since)
        and (query.until is None or event.at < query.until)
    )


def asked(chance: Random) -> LogQuery:
    """A random question: each condition now and then."""

    def maybe(*values: object) -> object:
        return chance.choice(values) if chance.random() < 0.3 else None

    return LogQuery(
        tenant=chance.choice(TENANTS),
        ref=maybe(*REFS),  # type: ignore[arg-type]  # one of the values
        agent_id=maybe("a1", "bot", "nobody"),  # type: ignore[arg-type]  # one of the values
        team=maybe(*TEAMS, "t9"),  # type: ignore[arg-type]  # one of the values
        vendor=maybe(*VENDORS),  # type: ignore[arg-type]  # one of the values
        purpose=maybe(*PURPOSES),  # type: ignore[arg-type]  # one of the values
        link=maybe(*LINKS),  # type: ignore[arg-type]  # one of the values
        field=maybe("contact", "free_text", "contacts"),  # type: ignore[arg-type]  # one of the values
        is_clear=chance.random() < 0.2,
        regions=maybe(("eu", ""), ("us",)) or (),  # type: ignore[arg-type]  # one of the values
        not_regions=maybe(("eu", "")) or (),  # type: ignore[arg-type]  # one of the values
        kinds=maybe(KINDS[:2], KINDS[2:], LOOKS) or (),  # type: ignore[arg-type]  # one of the values
        since=maybe(NOON + 5, NOON + 100, NOON + 399),  # type: ignore[arg-type]  # one of the values
        until=maybe(NOON + 7, NOON + 90, NOON + 300),  # type: ignore[arg-type]  # one of the values
        limit=chance.choice((1, 3, 50)),
    )


def pages(store: SqlStore, query: LogQuery) -> tuple[list[int], int]:
    """All answers to a question, page by page, and how many pages there were."""
    found: list[int] = []
    with store.read() as view:
        for count in range(1, 1000):
            answer = view.answer(query)
            assert len(answer.entries) <= query.limit
            found += [entry.index for entry in answer.entries]
            if answer.following is None:
                return found, count
            assert query.before is None or answer.following < query.before
            query = replace(query, before=answer.following)
    raise AssertionError("pages without an end")


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("guard.store.log_terms.BLOCK", 16)
    monkeypatch.setattr("guard.store.log_terms.BLOCK_BYTES", 2)
    monkeypatch.setattr("guard.store.entries.BLOCK", 16)
    monkeypatch.setattr("guard.store.log_terms.STEP", 3)
    monkeypatch.setattr("guard.store.log_terms.STEPS", 2)
    monkeypatch.setattr("guard.store.log_search.SCANNED", 20)
    monkeypatch.setattr("guard.store.log_search.CHUNK", 7)
    log_terms._newest.cache_clear()  # noqa: SLF001 - it holds the size of a step
    yield
    log_terms._newest.cache_clear()  # noqa: SLF001 - as it was


Known = list[tuple[EventPart, EntryKind, tuple[str, ...]]]


@pytest.fixture
def known(small_blocks: None, store: SqlStore) -> Known:  # noqa: ARG001 - it must come first
    """A log of many small blocks, written in commits of different sizes."""
    chance = Random(4)  # noqa: S311 - a made-up log
    subjects = {ref: make_subject(ref) for ref in REFS}
    sealer = PlainSealer(b"writer-1")
    entries: list[SealedEntry] = []
    made: Known = []
    for n in range(SIZE):
        event, kind, refs = drawn(chance, n)
        new = replace(make_entry(kind, *refs), event=event)
        entries.append(sealer.seal(new, writer_seq=n, subjects=subjects, next_n={}))
    with store.begin() as rows:
        rows.add_subjects(list(subjects.values()))
    while entries:
        size = chance.choice((1, 5, 40))
        with store.begin() as rows:
            rows.append(entries[:size])
        settle(store)
        entries = entries[size:]
    with store.read() as view:
        for stored in view.entries(0, SIZE):
            assert stored.searched is not None
            kept = stored.searched
            classes = dict(word.split("=") for word in str(kept["shown"]).split())
            event = make_entry(
                EntryKind(kept["kind"]),  # type: ignore[arg-type]  # a number
                classes=classes,
                **{
                    name: kept[name]
                    for name in (
                        "at", "tenant", "region", "vendor", "team", "purpose", "link", "agent",
                        "actor",
                    )
                },
            ).event  # fmt: skip
            made.append((event, EntryKind(kept["kind"]), stored.refs))  # type: ignore[arg-type]  # a number
    return made


def test_every_question_is_answered_as_by_reading_all(known: Known, store: SqlStore) -> None:
    chance = Random(9)  # noqa: S311 - made-up questions
    some = 0
    for _ in range(QUESTIONS):
        query = asked(chance)
        expected = [n for n in reversed(range(SIZE)) if holds(query, *known[n])]
        found, _ = pages(store, query)
        assert found == expected, query
        some += bool(expected)
        with store.read() as view:
            whole = [e.index for e in view.search(replace(query, limit=SIZE))]
            counted = view.count(query, 10)
        assert whole == expected
        assert counted.count <= min(10, len(expected))
        if counted.is_exact:
            assert counted.count == len(expected)
    assert some > QUESTIONS // 4


def test_a_page_never_takes_more_than_its_bound_however_rare_the_question(
    known: Known, store: SqlStore
) -> None:
    # In blocks of 16 and steps of 3, a page looks at six blocks of what is common.
    query = LogQuery(tenant="acme", vendor="v1", purpose="outreach", field="contact", limit=50)
    expected = [n for n in reversed(range(SIZE)) if holds(query, *known[n])]
    found, count = pages(store, query)
    assert found == expected
    assert count >= SIZE // 16 // 6
