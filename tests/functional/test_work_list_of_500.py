"""A work list of 500: all are viewed, the 501st is not, and nobody of the team raises an alert.

The service's clock is moved by hand through one working day of the outreach team; what is written
to its log is then given to detectors that know an honest floor. Somebody who browses beside them
on the same day shows that these detectors would have spoken.
"""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from api import bootstrap
from api.cli.demo.cast import acting
from api.feed import floor_events
from api.identity.scopes import ALL
from api.replaying import opened_entries
from detectors.floor import Floor
from detectors.pipeline import Pipeline
from guard.clock import DAY, HOUR, Clock, ManualClock, from_rfc3339, to_rfc3339
from guard.events import FloorEvent
from policies.model import ActorKind, Desk, Role
from tests.support.service import (
    ADMIN,
    AGENT,
    LEAD,
    SYNC,
    Service,
    open_service,
    person,
    records,
)

pytestmark = [pytest.mark.functional, pytest.mark.anyio]

SIZE, PACE, HOURS = 500, 25, 7
BROWSED = 100
START, WARM_DAYS = from_rfc3339("2026-03-02T00:00:00Z"), 8
MORNING = START + WARM_DAYS * DAY + 9 * HOUR
# As on the honest floor, whose outreach team has these four.
TEAM = tuple(f"out{n:02d}" for n in range(4))
BROWSER = "a001"
LIST = "/v1/work-lists/spring"
OK, FORBIDDEN, TOO_MANY = 200, 403, 429


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> ManualClock:
    clock = ManualClock(MORNING - HOUR)

    def of(*_: object) -> Clock:
        return clock

    monkeypatch.setattr(bootstrap, "open_clock", of)
    return clock


@pytest.fixture
def store_url(tmp_path: Path, sqlite_template: Path) -> str:
    ledger = tmp_path / "ledger.db"
    ledger.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{ledger}"


@pytest.fixture
async def service(tmp_path: Path, store_url: str, clock: ManualClock) -> AsyncIterator[Service]:
    assert clock.now() < MORNING
    async with open_service(store_url, tmp_path, records(SIZE + 1)) as opened:
        await put_people(opened)
        yield opened


@pytest.fixture(scope="module")
def warm() -> Pipeline:
    """Detectors that have seen eight honest days of a floor with this outreach team."""
    floor = Floor.build(7, START, customers=2000, agents=60)
    known = {p.agent_id for p in floor.agents}
    assert known.issuperset({*TEAM, BROWSER})
    pipeline = Pipeline()
    pipeline.warm_up(floor.history(range(WARM_DAYS)))
    return pipeline


async def put_people(service: Service) -> None:
    sync = acting(person(SYNC, Role.SERVICE, kind=ActorKind.SERVICE), frozenset(ALL))
    site = {"vendor": "vendor0", "site": "kolkata", "line": ("lead00",)}
    rows = [
        *(person(who, Role.AGENT, **site, team="outreach", desk=Desk.OUTREACH) for who in TEAM),
        person(BROWSER, Role.AGENT, **site, team="team00"),
    ]
    await service.services.directory.put(sync, rows)


async def propose(service: Service, clock: ManualClock) -> None:
    """The list, uploaded and approved by two people of two lines; nobody else's counts."""
    body = {
        "team": "outreach",
        "campaign": "spring",
        "starts_at": to_rfc3339(clock.now()),
        "ends_at": to_rfc3339(clock.now() + DAY),
        "fields": ["full_name", "email", "phone"],
        "pace": PACE,
    }
    assert (await service.ask("PUT", LIST, LEAD, body)).is_success
    content = "customer\n" + "".join(f"{ref}\n" for ref in service.refs[:SIZE])
    headers = service.tokens.header(LEAD) | {"content-type": "text/csv"}
    told = await service.client.put(LIST + "/customers", content=content, headers=headers)
    assert told.json()["work_list"]["size"] == SIZE, told.text
    early = await service.view(service.refs[0], TEAM[0], purpose="outreach")
    assert early.status_code == FORBIDDEN
    body = {"digest": told.json()["work_list"]["digest"]}
    said = [
        (await service.ask("POST", LIST + "/approvals", who, body)).status_code
        for who in (LEAD, "manager-1", ADMIN, "manager-2")
    ]
    # The proposer, and the proposer's own manager, approve nothing.
    assert said == [FORBIDDEN, FORBIDDEN, OK, OK]


def planned(refs: list[str], rng: np.random.Generator) -> list[tuple[int, str, str]]:
    """Who views whom when: each agent a quarter of the list, over the day as people do."""
    plan = []
    for n, who in enumerate(TEAM):
        mine = refs[n :: len(TEAM)]
        gaps = rng.gamma(4.0, 1.0, len(mine))
        moments = MORNING + (np.cumsum(gaps) / gaps.sum() * HOURS * HOUR).astype(int)
        plan += [(int(at), who, ref) for at, ref in zip(moments, mine, strict=True)]
    return sorted(plan)


async def work(
    service: Service, clock: ManualClock, plan: list[tuple[int, str, str]], purpose: str
) -> Counter[int]:
    """Carry out a plan at its times; how the views came out."""
    statuses: Counter[int] = Counter()
    for at, who, ref in plan:
        clock.advance(max(0, at - clock.now()))
        answer = await service.view(ref, who, device=f"desk-{who}", purpose=purpose)
        statuses[answer.status_code] += 1
        if answer.is_success:
            assert set(answer.json()["record"]) <= {"full_name", "email", "phone"} or who == BROWSER
    return statuses


def alerted(service: Service, warm: Pipeline) -> set[str]:
    """Whom the detectors name, given all that is in the service's own log."""
    with service.services.store.read() as view:
        entries = list(opened_entries(view, service.services.vault))
    events: list[FloorEvent] = [event for entry in entries for event in floor_events(entry)]
    pipeline = Pipeline.from_state(warm.state())
    found = pipeline.step(events, complete_to=max(e.ts for e in events))
    return {agent for finding in found for agent in finding.agent_ids}


async def test_500_customers_of_a_list_are_viewed_and_the_501st_is_not(
    service: Service, clock: ManualClock, warm: Pipeline
) -> None:
    await propose(service, clock)
    rng = np.random.default_rng(5)
    plan = planned(service.refs[:SIZE], rng)
    assert await work(service, clock, plan, purpose="outreach") == {OK: SIZE}
    off_list = service.refs[SIZE]
    for who in TEAM:
        refused = await service.view(off_list, who, purpose="outreach")
        assert refused.status_code == FORBIDDEN
        assert "ask_for_the_list_to_be_extended" in refused.json()["next"]
    # Not their team's list, whoever asks.
    assert (await service.view(service.refs[0], AGENT, purpose="outreach")).status_code == FORBIDDEN
    assert alerted(service, warm) == set()


async def test_the_pace_of_the_list_is_each_agents_own(
    service: Service, clock: ManualClock
) -> None:
    await propose(service, clock)
    clock.advance(HOUR)
    at = clock.now()
    rushed = [(at + n, TEAM[0], ref) for n, ref in enumerate(service.refs[: PACE + 1])]
    assert await work(service, clock, rushed, purpose="outreach") == {OK: PACE, TOO_MANY: 1}
    refused = await service.view(service.refs[PACE], TEAM[0], purpose="outreach")
    assert (refused.json()["code"], "wait" in refused.json()["next"]) == ("quota", True)
    assert (await service.view(service.refs[PACE], TEAM[1], purpose="outreach")).is_success


async def test_somebody_who_browses_on_that_day_is_told_from_the_team(
    service: Service, clock: ManualClock, warm: Pipeline
) -> None:
    await propose(service, clock)
    rng = np.random.default_rng(6)
    moments = np.sort(rng.uniform(MORNING, MORNING + HOURS * HOUR, BROWSED)).astype(int)
    browsed = [(int(at), BROWSER, ref) for at, ref in zip(moments, service.refs, strict=False)]
    assert (await work(service, clock, browsed, purpose="support_case"))[OK] == BROWSED
    assert alerted(service, warm) == {BROWSER}
