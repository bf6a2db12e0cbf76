"""People and requests that tests of the services share."""

from dataclasses import replace

from guard.clock import DAY
from guard.enrolment import CustomerPut
from guard.findings import Finding, FindingKind, Severity
from guard.principals import Principal
from guard.purposes.reports import AssignmentPut, CasePut
from guard.purposes.work_lists import StatedList, WorkListPut
from guard.rows import AlertState, OutboxItem
from policies.model import ActorKind, Role
from tests.support.makers import NOON, TENANT
from tests.support.rig import Rig, make_caller, row_of

AGENT = make_caller()
LIST_READER = make_caller("reader")
ANALYST = make_caller("ana", role=Role.ANALYST, team="security", line=("ciso",))
SECOND = make_caller("ben", role=Role.ANALYST, team="security-2", line=("coo",))
AUDITOR = make_caller("aud", role=Role.AUDITOR, team="audit", line=("board",))
DIRECTORY = make_caller("hr-sync", role=Role.SERVICE, kind=ActorKind.SERVICE)


def make_customer(key: str) -> CustomerPut:
    """A customer of the CRM."""
    return CustomerPut(source="crm", source_key=key, region="eu")


def make_case_put(case_id: str, ref: str | None) -> CasePut:
    """A case with one assignment."""
    return CasePut(
        id=case_id,
        customer=ref,
        channel="phone",
        opened_at=1,
        assignments=(AssignmentPut(agent="a1", how="inbound", from_at=2),),
    )


def make_list(list_id: str, refs: tuple[str, ...], ends_at: int = NOON + DAY) -> WorkListPut:
    """A work list of one team, from noon on."""
    return WorkListPut(
        id=list_id,
        team="team-1",
        campaign="spring",
        starts_at=NOON,
        ends_at=ends_at,
        customers=refs,
    )


async def approve_list(rig: Rig, by: Principal, list_id: str) -> StatedList:
    """Approve a list as it stands, once it was read."""
    digest = (await rig.work_lists.get(LIST_READER, list_id)).digest
    return await rig.work_lists.approve(by, list_id, digest)


async def suspend(rig: Rig, by: str = "ana") -> str:
    """Suspend the agent for a day; the response's id."""
    analyst = {"ana": ANALYST, "ben": SECOND}[by]
    row = await rig.suspensions.suspend(
        analyst, agent_id="a1", reason="copies records", ends_at=rig.clock.now() + DAY
    )
    return row.id


async def put_people(rig: Rig) -> None:
    """Fill the directory."""
    await rig.directory.put(DIRECTORY, [row_of(p) for p in (AGENT, ANALYST, SECOND, AUDITOR)])


def make_finding(severity: Severity, agents: tuple[str, ...] = ("a1",), **more: object) -> Finding:
    """A finding about agents."""
    base = Finding(
        key="agent:" + agents[0],
        kind=FindingKind.AGENT,
        raised_at=1,
        first_event_at=1,
        agent_ids=agents,
        score=9.0,
        severity=severity,
        channels=("unexplained",),
        reasons=("24 of 31 views have no case",),
        contributions=(("unexplained", 1.0),),
        evidence=(0,),
    )
    return replace(base, **more)  # type: ignore[arg-type] # named fields of a finding


async def raise_finding(rig: Rig, position: int, found: Finding) -> None:
    """Apply a finding as the worker's outbox would."""
    await rig.alerts.apply("w", [OutboxItem(position=position, tenant=TENANT, finding=found)])


async def open_alert(rig: Rig) -> str:
    """Id of the newest alert."""
    rows = await rig.alerts.page(ANALYST, states=frozenset(AlertState), before=None, limit=10)
    return rows[0].id
