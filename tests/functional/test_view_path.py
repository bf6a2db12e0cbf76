"""The one path of a view, over HTTP and on both engines: decided, counted, proven, replayable."""

import asyncio
import csv
import io
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

import httpx2
import msgspec
import pytest

from api.places import export_signer, log_dir, log_signer
from api.replaying import opened_entries, stored_pages
from guard.clock import HOUR, monotonic, to_rfc3339
from guard.entries import EntryKind, OpenedEntry, Receipt, StoredEntry
from guard.evidence import standalone
from guard.ledger.checkpoint import Checkpoint, open_checkpoint
from guard.ledger.proofs import verify_tlog_proof
from guard.ledger.receipts import match_receipt, verify_receipt
from guard.ledger.verify import VerifyReport, verify_files, verify_log
from policies.bundle import load_bundle
from policies.engine import Engine
from policies.facts import parse_facts
from policies.model import Forbid
from tests.support.log import entry_of, settle
from tests.support.policy_bundles import default_files
from tests.support.service import (
    ADMIN,
    AGENT,
    AGENTS,
    ANALYST,
    AUDITOR,
    BOT,
    LEAD,
    SECOND_ANALYST,
    SYNC,
    Service,
    open_service,
    records,
    watching,
    write_bundle,
)

T = TypeVar("T")
pytestmark = [pytest.mark.anyio, pytest.mark.functional]

CUSTOMERS = 20
CALLERS, BUDGET = 32, 100
DESKS = 8
# From the commit of the view that shows a pattern to the alert on the page.
ALERT_WITHIN_S = 1.0
UNTIL_S, TURN_S = 20.0, 0.02
TURNS = round(UNTIL_S / TURN_S)

TIGHT_QUOTAS = """\
[[budget]]
name = "views-day"
measure = "views"
key = "agent"
window = "rolling_24h"
limit = {limit}
"""


@pytest.fixture
async def service(store_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    async with open_service(store_url, tmp_path, records(CUSTOMERS)) as opened:
        yield opened


def tight(folder: Path, limit: int) -> Path:
    """The bundle that ships, with one small budget instead of its own."""
    quotas = TIGHT_QUOTAS.format(limit=limit).encode()
    return write_bundle(folder / "policy", default_files() | {"quotas.toml": quotas})


def stored(service: Service) -> list[StoredEntry]:
    settle(service.services.store)
    with service.services.store.read() as view:
        return [entry for page in stored_pages(view) for entry in page]


def opened(service: Service) -> list[OpenedEntry]:
    settle(service.services.store)
    with service.services.store.read() as view:
        return list(opened_entries(view, service.services.vault))


def receipt_of(answer: httpx2.Response) -> Receipt:
    return msgspec.convert(answer.json()["receipt"], Receipt)


async def eventually(look: Callable[[], Awaitable[T | None]], what: str) -> T:
    """Ask until the answer is there."""
    for _ in range(TURNS):
        found = await look()
        if found is not None:
            return found
        await asyncio.sleep(TURN_S)
    pytest.fail(what)


class TestReceipts:
    async def test_a_view_carries_a_receipt_whose_proof_an_outsider_can_check(
        self, service: Service
    ) -> None:
        ref = service.refs[0]
        answer = await service.view(ref, case=await service.case(ref))
        assert answer.status_code == 200, answer.text
        receipt = receipt_of(answer)
        key = log_signer(service.services.keyring, service.settings).verifier

        async def proven() -> httpx2.Response | None:
            found = await service.ask("GET", f"/v1/log/proof/{receipt.entry_id}", AUDITOR)
            return found if found.is_success else None

        def trusted(note: bytes) -> Checkpoint:
            return open_checkpoint(note, key)

        proof = (await eventually(proven, "no checkpoint covers the view")).content
        place = entry_of(receipt, opened(service)).index
        leaf = stored(service)[place].leaf
        index, checkpoint = verify_tlog_proof(proof, leaf, trusted)
        assert index == place < checkpoint.size
        match_receipt(receipt, leaf, place)
        writer = next(
            e.event.body
            for e in opened(service)
            if e.kind is EntryKind.WRITER_OPEN and e.event.body["writer"] == receipt.writer
        )
        verify_receipt(receipt, str(writer["key"]))
        log = stored(service)
        with service.services.store.read() as view:
            head = view.head()
        report = verify_log(log, head=(head[0], tuple(head[1])), receipts=[receipt])
        assert report.receipts == 1

    async def test_the_published_files_verify_by_the_public_key_alone(
        self, service: Service
    ) -> None:
        for ref in service.refs[:5]:
            assert (await service.view(ref, reason="asked for it")).status_code == 200
        size = len(stored(service))
        key = log_signer(service.services.keyring, service.settings).verifier

        # The database holds a checkpoint a moment before its file is published.
        async def published() -> VerifyReport | None:
            report = verify_files(log_dir(service.settings), key.encode())
            return report if (report.signed_size or 0) >= size else None

        report = await eventually(published, "no checkpoint covers the views")
        answer = await service.ask("GET", "/v1/log/checkpoint", AGENT)
        assert open_checkpoint(answer.content, key).size >= report.size >= size

    async def test_a_refusal_has_a_receipt_and_an_entry_of_its_own(self, service: Service) -> None:
        answer = await service.view(service.refs[0], purpose="outreach")
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["determined_by"] == ["outreach-needs-list"]
        entry = entry_of(receipt_of(answer), opened(service))
        assert (entry.kind, entry.event.outcome) == (EntryKind.REFUSAL, "refused")


class TestModes:
    async def mode(self, service: Service, mode: str) -> None:
        row = await service.ask("PUT", "/v1/modes", ANALYST, {"mode": mode})
        path = f"/v1/modes/{row.json()['id']}/approvals"
        assert (await service.ask("POST", path, ANALYST)).status_code == 403
        assert (await service.ask("POST", path, SECOND_ANALYST)).status_code == 200

    async def test_observe_shows_all_and_says_what_enforcing_would_do(
        self, service: Service
    ) -> None:
        row = records(CUSTOMERS)[0]
        await self.mode(service, "observe")
        answer = await service.view(service.refs[0], purpose="outreach")
        body = answer.json()
        assert (answer.status_code, body["mode"], body["would"]) == (200, "observe", "refused")
        assert body["record"]["email"] == row["email"]

    async def test_mask_masks_and_refuses_nothing_and_enforce_is_the_default(
        self, service: Service
    ) -> None:
        row = records(CUSTOMERS)[0]
        assert (await service.view(service.refs[0], purpose="outreach")).status_code == 403
        await self.mode(service, "mask")
        answer = await service.view(service.refs[0], purpose="outreach")
        assert (answer.status_code, answer.json()["would"]) == (200, "refused")
        assert str(row["email"]) not in answer.text
        report = await service.ask(
            "GET",
            "/v1/reports/enforcement",
            ANALYST,
            params={
                "since": to_rfc3339(service.services.clock.now() - HOUR),
                "until": to_rfc3339(service.services.clock.now() + HOUR),
            },
        )
        assert {"team": "team-1", "mode": "mask", "would": "refused", "views": 1} in report.json()[
            "rows"
        ]


class TestQuotas:
    async def test_a_spent_budget_is_a_429_that_says_when_to_come_again(
        self, store_url: str, tmp_path: Path
    ) -> None:
        policy = tight(tmp_path, 3)
        async with open_service(store_url, tmp_path, policy_dir=policy) as service:
            served = [await service.view(service.refs[0], reason="asked") for _ in range(3)]
            assert [a.status_code for a in served] == [200] * 3
            assert served[-1].headers["ratelimit"].startswith('"views-day";r=0;t=')
            assert served[-1].headers["ratelimit-policy"] == '"views-day";q=3;w=86400'
            over = await service.view(service.refs[0], reason="asked")
            assert over.status_code == 429
            body = over.json()
            assert body["type"].endswith("#quota-exceeded")
            assert body["violated-policies"] == ["views-day"]
            assert over.headers["ratelimit"].startswith('"views-day";r=0;t=')
            left = int(over.headers["ratelimit"].partition("t=")[2])
            assert 0 < left <= int(over.headers["retry-after"])
            assert entry_of(receipt_of(over), opened(service)).kind is EntryKind.REFUSAL
            (own,) = (await service.ask("GET", "/v1/quota", AGENT)).json()["quota"]
            assert (own["used"], own["left"]) == (3, 0)

    async def test_32_callers_share_a_budget_of_100_exactly(
        self, store_url: str, tmp_path: Path
    ) -> None:
        policy = tight(tmp_path, BUDGET)
        async with open_service(store_url, tmp_path, policy_dir=policy) as service:

            async def caller(number: int) -> list[int]:
                refs = service.refs[number % len(service.refs)]
                return [(await service.view(refs, reason="asked")).status_code for _ in range(5)]

            answers = await asyncio.gather(*(caller(n) for n in range(CALLERS)))
            counted = Counter(status for one in answers for status in one)
            assert counted == {200: BUDGET, 429: CALLERS * 5 - BUDGET}
            kinds = Counter(entry.kind for entry in opened(service))
            assert (kinds[EntryKind.VIEW], kinds[EntryKind.REFUSAL]) == (
                BUDGET,
                CALLERS * 5 - BUDGET,
            )
            (own,) = (await service.ask("GET", "/v1/quota", AGENT)).json()["quota"]
            assert (own["used"], own["left"]) == (BUDGET, 0)


class TestSuspensions:
    async def test_after_the_answer_no_view_is_served_whatever_is_under_way(
        self, service: Service
    ) -> None:
        acknowledged: list[float] = []
        is_busy = asyncio.Event()
        served: list[float] = []
        refused: Counter[str] = Counter()

        async def desk() -> None:
            while refused["suspended"] < CALLERS:
                began = monotonic()
                answer = await service.view(service.refs[0], reason="asked")
                if answer.is_success:
                    served.append(began)
                    if len(served) == CALLERS:
                        is_busy.set()
                else:
                    refused[answer.json()["code"]] += 1

        async def reviewer() -> str:
            await is_busy.wait()
            ends = to_rfc3339(service.services.clock.now() + HOUR)
            body = {"agent": AGENT, "reason": "under review", "ends_at": ends}
            answer = await service.ask("POST", "/v1/suspensions", ANALYST, body)
            acknowledged.append(monotonic())
            assert answer.status_code == 200, answer.text
            return str(answer.json()["id"])

        async with asyncio.timeout(UNTIL_S), asyncio.TaskGroup() as group:
            for _ in range(DESKS):
                group.create_task(desk())
            reviewing = group.create_task(reviewer())
        response = reviewing.result()
        assert refused["suspended"] >= CALLERS
        assert [at for at in served if at > acknowledged[0]] == []
        log = opened(service)
        suspension = next(e.index for e in log if e.kind is EntryKind.SUSPENSION)
        assert all(e.index < suspension for e in log if e.kind is EntryKind.VIEW)
        notices = (await service.ask("GET", "/v1/notices", AGENT)).json()["notices"]
        assert [(n["id"], n["kind"]) for n in notices] == [(response, "suspend")]
        lift = f"/v1/suspensions/{response}/lift"
        assert (await service.ask("POST", lift, ANALYST, {"reason": "own"})).status_code == 403
        lifted = await service.ask("POST", lift, SECOND_ANALYST, {"reason": "explained"})
        assert lifted.status_code == 200
        assert (await service.view(service.refs[0], reason="asked")).status_code == 200


class TestAlerts:
    async def test_a_pattern_is_on_the_console_within_a_second_of_its_commit(
        self, service: Service
    ) -> None:
        analyst = await service.sign_in(ANALYST)
        waits: list[float] = []
        with watching(service.settings):
            for agent in AGENTS[:3]:
                for ref in service.refs[:6]:
                    assert (await service.view(ref, agent)).status_code == 200
                committed = monotonic()

                async def shown(count: int = len(waits) + 1) -> httpx2.Response | None:
                    page = await service.client.get("/console/alerts", headers=analyst)
                    assert page.status_code == 200
                    return page if page.text.count("/console/alerts/alr-") >= count else None

                await eventually(shown, "no alert came")
                waits.append(monotonic() - committed)
        # The middle one: on a shared machine any single wait may fall into somebody else's turn.
        assert sorted(waits)[1] < ALERT_WITHIN_S, waits
        page = (await service.ask("GET", "/v1/alerts?state=open", ANALYST)).json()
        assert len(page["alerts"]) == 3
        alert = page["alerts"][0]
        assert alert["reasons"]
        assert not set(alert["agents"]) & set(AGENTS)
        path = f"/v1/alerts/{alert['id']}"
        evidence = (await service.ask("GET", path + "/evidence", ANALYST)).json()["entries"]
        assert [e["index"] for e in evidence] == alert["evidence"]
        done = {"state": "confirmed", "label": "malicious", "note": "no case leads to them"}
        confirmed = (await service.ask("PATCH", path, ANALYST, done)).json()
        assert confirmed["agents"] == [AGENTS[2]]


class TestRepeating:
    async def test_a_repeated_change_is_answered_once_and_a_reused_key_is_refused(
        self, service: Service
    ) -> None:
        ends = to_rfc3339(service.services.clock.now() + HOUR)
        body = {"agent": AGENT, "reason": "under review", "ends_at": ends}
        key = {"idempotency-key": "one"}
        both = await asyncio.gather(
            *(service.ask("POST", "/v1/suspensions", ANALYST, body, headers=key) for _ in "ab")
        )
        assert [a.status_code for a in both] == [200, 200]
        assert both[0].json() == both[1].json()
        assert [a.headers.get("idempotency-replayed") for a in both].count("true") == 1
        other = body | {"reason": "another"}
        reused = await service.ask("POST", "/v1/suspensions", ANALYST, other, headers=key)
        assert reused.status_code == 422
        assert reused.json()["type"].endswith("/idempotency-key-reused")
        # Somebody else's key of the same name is another key.
        theirs = await service.ask("POST", "/v1/suspensions", SECOND_ANALYST, body, headers=key)
        assert theirs.json()["id"] != both[0].json()["id"]
        kinds = [e.kind for e in opened(service)]
        assert kinds.count(EntryKind.SUSPENSION) == 2

    async def test_a_repeated_view_is_a_new_view(self, service: Service) -> None:
        key = {"idempotency-key": "one"}
        body = {"customer": service.refs[0], "purpose": "support_case", "reason": "asked"}
        views = [
            receipt_of(await service.ask("POST", "/v1/views", AGENT, body, headers=key))
            for _ in "ab"
        ]
        assert views[0].entry_id != views[1].entry_id


class TestTheLog:
    async def seen(self, service: Service, path: str, who: str) -> list[int]:
        """All indexes that the pages hold, in their order."""
        indexes: list[int] = []
        cursor = ""
        while True:
            page = await service.ask("GET", path + cursor, who)
            assert page.status_code == 200, page.text
            indexes += [entry["index"] for entry in page.json()["entries"]]
            following = page.json()["next"]
            if following is None:
                return indexes
            cursor = f"&cursor={following}"

    async def test_pages_hold_every_view_once_while_the_log_grows(self, service: Service) -> None:
        for ref in service.refs[:11]:
            await service.view(ref, reason="asked")
        whole = [e.index for e in opened(service) if e.kind is EntryKind.VIEW][::-1]

        async def growing() -> None:
            for _ in range(5):
                await service.view(service.refs[0], LEAD, reason="asked")

        paged, _ = await asyncio.gather(
            self.seen(service, f"/v1/log/views?agent={AGENT}&reason=x&limit=3", AUDITOR), growing()
        )
        assert paged == whole
        of_customer = await self.seen(
            service, f"/v1/log/views?customer={service.refs[0]}&limit=2", AUDITOR
        )
        assert len(of_customer) == len(set(of_customer)) == 6

    async def test_a_cursor_fits_its_own_question_only(self, service: Service) -> None:
        for ref in service.refs[:3]:
            await service.view(ref, reason="asked")
        page = await service.ask("GET", f"/v1/log/views?agent={AGENT}&reason=x&limit=1", AUDITOR)
        cursor = page.json()["next"]
        for path, who in (
            (f"/v1/log/views?agent={LEAD}&reason=x&limit=1&cursor={cursor}", AUDITOR),
            (f"/v1/log/views?agent={AGENT}&reason=x&limit=1&cursor={cursor}", ANALYST),
            (f"/v1/log/views?agent={AGENT}&reason=x&limit=1&cursor={cursor[:-2]}", AUDITOR),
        ):
            answer = await service.ask("GET", path, who)
            assert answer.status_code == 400
            assert answer.json()["type"].endswith("/invalid-cursor")

    async def test_exports_hold_what_the_log_holds_and_are_entries_of_it(
        self, service: Service
    ) -> None:
        for ref in service.refs[:7]:
            await service.view(ref, reason="asked")
        await service.view(service.refs[0], purpose="outreach")
        wanted = [e for e in opened(service) if e.kind in {EntryKind.VIEW, EntryKind.REFUSAL}]
        asked = {"agent": AGENT, "kinds": ["view", "refusal"], "why": "the audit of this year"}
        lines = await service.ask("POST", "/v1/exports", AUDITOR, {"format": "ndjson"} | asked)
        assert lines.status_code == 200
        rows = [json.loads(line) for line in lines.text.splitlines()]
        assert [row["index"] for row in rows] == [e.index for e in wanted][::-1]
        table = await service.ask("POST", "/v1/exports", AUDITOR, {"format": "csv"} | asked)
        cells = list(csv.DictReader(io.StringIO(table.text)))
        assert [int(row["index"]) for row in cells] == [e.index for e in wanted][::-1]
        chunks = [e for e in opened(service) if e.kind is EntryKind.EXPORT]
        assert {e.event.agent for e in chunks} == {AUDITOR}
        assert {ref for e in chunks for ref in e.refs} == set(service.refs[:7])
        for who in (AGENT, LEAD, ANALYST, SYNC):
            assert (await service.ask("POST", "/v1/exports", who, asked)).status_code == 403

    async def test_evidence_of_a_customer_holds_before_the_verifier_that_is_in_it(
        self, service: Service, tmp_path: Path
    ) -> None:
        for ref in service.refs[:3]:
            await service.view(ref, reason="asked")
        seen = sum(one.refs == (service.refs[0],) for one in opened(service))
        size = len(stored(service))

        async def published() -> int | None:
            note = await service.ask("GET", "/v1/log/checkpoint", AUDITOR)
            file = log_dir(service.settings) / "checkpoint"
            is_told = note.is_success and file.is_file()
            return size if is_told and int(file.read_bytes().split(b"\n")[1]) >= size else None

        await eventually(published, "no checkpoint covers the views")
        asked = {"why": "matter 12/26", "customer": service.refs[0]}
        for who in (AGENT, LEAD, ANALYST, SYNC):
            assert (await service.ask("POST", "/v1/evidence", who, asked)).status_code == 403
        answer = await service.ask("POST", "/v1/evidence", AUDITOR, asked)
        assert answer.status_code == 200
        path = tmp_path / "case.zip"
        path.write_bytes(answer.content)
        settings, keyring = service.settings, service.services.keyring
        keys = [one(keyring, settings).vkey for one in (log_signer, export_signer)]
        said = standalone.check(str(path), keys)
        assert f"all {seen} about the customer alone and none after" in said
        with pytest.raises(standalone.RefusedError):
            standalone.check(str(path), keys[:1])
        exports = [one for one in opened(service) if one.kind is EntryKind.EXPORT]
        assert {one.event.agent for one in exports} == {AUDITOR}
        assert {ref for one in exports for ref in one.refs} == {service.refs[0]}


class TestReplay:
    async def test_every_stored_decision_is_made_again_from_its_facts_and_its_bundle(
        self, service: Service
    ) -> None:
        await self.mixed(service, service.refs)
        engines: dict[str, Engine] = {}
        replayed: Counter[EntryKind] = Counter()
        with service.services.store.read() as view:
            for entry in opened_entries(view, service.services.vault):
                event = entry.event
                if entry.kind not in {EntryKind.VIEW, EntryKind.REFUSAL} or not event.facts_id:
                    continue
                if event.bundle not in engines:
                    files = view.bundle(event.bundle)
                    assert files is not None
                    engines[event.bundle] = Engine(load_bundle(files))
                    assert engines[event.bundle].bundle.digest == event.bundle
                values = view.facts(event.facts_id)
                assert values is not None
                facts = parse_facts(values)
                assert facts.facts_id == event.facts_id
                decision = engines[event.bundle].decide(facts)
                assert decision.determined_by == event.determined_by[: len(decision.determined_by)]
                if isinstance(decision, Forbid):
                    assert (entry.kind, event.reasons) == (EntryKind.REFUSAL, decision.reasons)
                elif entry.kind is EntryKind.VIEW:
                    shown = {c: f.name.lower() for c, f in decision.forms.items() if f > 0}
                    assert event.classes.items() <= shown.items()
                replayed[entry.kind] += 1
        assert replayed[EntryKind.VIEW] >= 10
        assert replayed[EntryKind.REFUSAL] >= 4

    async def mixed(self, service: Service, refs: Sequence[str]) -> None:
        """Views of many kinds, some of them refused."""
        for how in ("inbound", "transfer", "escalation", "self"):
            ref = refs[len(how)]
            case = await service.case(ref, how=how)
            assert (await service.view(ref, case=case)).status_code == 200
            session = await service.case(ref, BOT_FOR)
            answer = await service.view(ref, BOT_FOR, act=BOT, purpose="ai_session", case=session)
            assert answer.is_success
        reviewed = await service.case(refs[0], LEAD, how="qa")
        review = await service.view(refs[0], LEAD, purpose="quality_review", case=reviewed)
        assert review.status_code == 200
        assert (await service.view(refs[0], reason="asked")).status_code == 200
        assert (await service.view(refs[0])).status_code == 200
        assert (await service.view(refs[0], ANALYST, mfa=True, purpose="investigation")).is_success
        for who, purpose in (
            (ANALYST, "investigation"),
            (AGENT, "outreach"),
            (AGENT, "quality_review"),
            (AGENT, "ai_session"),
            (ADMIN, "support_case"),
        ):
            assert (await service.view(refs[0], who, purpose=purpose)).status_code == 403


BOT_FOR = AGENTS[1]
