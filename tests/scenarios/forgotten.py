"""What the story of one forgotten customer needs: a floor, its looks, and what history gives."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2

from api.cli.demo.cast import acting
from api.cli.demo.crm import SOURCE
from api.cli.quotas import CounterKey, charges, used
from api.feed import floor_events
from api.identity.principals import principal_from
from api.identity.scopes import ALL
from api.places import export_signer, log_dir
from api.replaying import opened_entries
from detectors.pipeline import Pipeline
from guard.backtest import Replay, Report
from guard.clock import Micros
from guard.enrolment import CustomerPut
from guard.entries import OpenedEntry
from guard.events import FloorEvent, History
from guard.evidence.selecting import Question
from guard.evidence.service import Evidence
from guard.findings import Finding
from guard.in_force import InForce
from guard.ledger.tiles import TileFolder
from guard.quotas import rebuild
from policies.bundle import load_bundle
from policies.model import ActorKind, Role
from tests.support.log import settle
from tests.support.makers import TENANT
from tests.support.policy_bundles import default_files
from tests.support.service import (
    AGENTS,
    AUDITOR,
    REGION,
    SYNC,
    Record,
    Service,
    person,
)

# Her key at the source, in the CRM of the tests.
SOURCE_KEY = "cust-00001"
# What is typed about her: in a view, in the proposal of her erasure.
WHY_VIEWED = "asks about the parcel of her sister Ottoline"
WHY_ERASED = "her letter of the twelfth, signed Featherstonehaugh"
# Shorter values (a country, a plan) are anybody's.
TELLING = 8
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
NO_CASES = """
@id("no-cases")
@reason("cases explain nothing")
forbid (principal, action == Action::"Admit", resource)
when { context.link == Link::"owner" };
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What history gives: events, findings, counters, and two policies tried on it."""

    events: tuple[FloorEvent, ...]
    findings: tuple[Finding, ...]
    counters: dict[CounterKey, int]
    reports: tuple[Report, ...]


def given(service: Service, size: int, until: Micros) -> Given:
    """What the first `size` entries of the log give now; `until` is when they ended."""
    settle(service.services.store)
    with service.services.store.read() as view:
        vault = service.services.vault
        entries = [one for one in opened_entries(view, vault) if one.index < size]
        reports = []
        for files in (default_files(), default_files() | {"no-cases.cedar": NO_CASES.encode()}):
            policy = InForce.of(load_bundle(files))
            replay = Replay.over(view, policy, vault, tenant=TENANT, since=0, until=until)
            while replay.step(view):
                pass
            reports.append(replay.report())
    events = tuple(event for entry in entries for event in floor_events(entry))
    return Given(
        events=events,
        findings=tuple(Pipeline().replay(History(events=events))),
        counters=used(rebuild(charges(iter(entries)), until)),
        reports=tuple(reports),
    )


def clear_values(record: Record) -> set[str]:
    """Everything in a record that tells whose it is."""
    return {text for text in _texts(record) if len(text) >= TELLING and not DATE.fullmatch(text)}


def _texts(value: object) -> Iterator[str]:
    match value:
        case dict():
            for inner in value.values():
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
        case str():
            yield value
        case _:
            return


async def a_morning(service: Service, her: str, decoy: str) -> None:
    """Everybody looks at a few customers, at her most of all; one looks where nothing leads."""
    sync = acting(person(SYNC, Role.SERVICE, kind=ActorKind.SERVICE), frozenset(ALL))
    put = CustomerPut(source=SOURCE, source_key=decoy, region=REGION, is_decoy=True)
    trap = (await service.services.enrolment.enrol(sync, [put]))[SOURCE, decoy]
    for number, agent in enumerate(AGENTS[:4]):
        for ref in (her, service.refs[1 + number], her):
            await _seen(service, ref, agent)
    await _acts(service, her)
    # Nothing leads from the next agent to her, nor from the one after to the trap.
    foreign = await service.case(service.refs[2], AGENTS[4], how="self")
    for case in (None, foreign):
        assert (await service.view(her, AGENTS[4], case=case)).is_success
    assert (await service.view(trap, AGENTS[5])).is_success
    refused = await service.view(her, AGENTS[4], purpose="investigation")
    assert refused.status_code == httpx2.codes.FORBIDDEN, refused.text


async def _seen(service: Service, ref: str, agent: str) -> tuple[str, str]:
    """A look with a case; the case, and the id of the view."""
    case = await service.case(ref, agent)
    seen = await service.view(ref, agent, case=case, reason=WHY_VIEWED)
    assert seen.is_success, seen.text
    return case, seen.json()["receipt"]["entry_id"]


async def _acts(service: Service, her: str) -> None:
    """What else there is to do about her, each of it an entry of another kind."""
    case, view = await _seen(service, her, AGENTS[3])
    glass = {"customer": her, "reason_code": "fraud_in_progress", "text": WHY_VIEWED, "minutes": 5}
    told = {"customer": her, "purpose": "support_case", "case": case}
    acts: list[tuple[str, str, object]] = [
        (f"/v1/views/{view}/reveals", AGENTS[3], {"fields": ["email"], "reason": WHY_VIEWED}),
        ("/v1/verifications", AGENTS[3], told | {"field": "email", "part": "full", "claim": "x@y"}),
        ("/v1/break-glass", AGENTS[5], glass),
    ]
    for path, who, body in acts:
        answer = await service.ask("POST", path, who, body)
        assert answer.is_success, answer.text


async def bundle(service: Service, path: Path, **asked: object) -> None:
    """Take a bundle of evidence as `guard evidence` does."""
    opened = service.services
    row = await opened.directory.get(TENANT, AUDITOR)
    assert row is not None
    auditor = principal_from(
        row, actor=None, client="cli", session="cli", scopes=frozenset(ALL), mfa_at=None
    )
    folder = TileFolder(log_dir(service.settings))
    signer = export_signer(opened.keyring, service.settings)
    maker = Evidence(opened.committer, opened.readers, opened.clock, opened.vault, folder, signer)
    pieces = await maker.make(auditor, Question(purpose="a matter", **asked))  # type: ignore[arg-type] # any field
    content = b"".join([piece async for piece in pieces])
    await asyncio.to_thread(path.write_bytes, content)


def opened_log(service: Service) -> list[OpenedEntry]:
    """Every entry, as far as it opens."""
    settle(service.services.store)
    with service.services.store.read() as view:
        return list(opened_entries(view, service.services.vault))
