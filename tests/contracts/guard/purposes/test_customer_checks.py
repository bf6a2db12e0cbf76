"""Who writes a ticket is checked once: by a word or a code, never by the ticket's own address."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from guard.clock import ManualClock
from guard.entries import EntryKind
from guard.purposes.cases import Cases
from guard.purposes.customer_checks import is_open_to
from guard.store import SqlStore
from guard.views import Served, Verified, VerifyRequest, ViewRequest
from policies.model import ActorKind, Link, Role
from tests.support.acts import act_files
from tests.support.makers import TENANT, make_case
from tests.support.people import AGENT, DIRECTORY, make_case_put
from tests.support.rig import Rig, make_caller, open_rig

pytestmark = pytest.mark.anyio

APP = make_caller("app", role=Role.SERVICE, kind=ActorKind.SERVICE)


class Known:
    """Finds one customer by whatever is asked."""

    def __init__(self, ref: str) -> None:
        self.ref = ref

    async def find(self, tenant: str, kind: str, value: str) -> tuple[str, ...]:
        return (self.ref,) if (tenant, value) == (TENANT, f"an {kind}") else ()


@pytest.fixture
def acts(store: SqlStore, clock: ManualClock, tmp_path: Path) -> Iterator[Rig]:
    """A rig whose policy admits every act."""
    with open_rig(store, clock, tmp_path, act_files()) as opened:
        yield opened


async def mailed(rig: Rig, kind: str = "email") -> str:
    """A customer, and the agent's ticket that names them by an identifier."""
    (ref,) = await rig.customers(1)
    cases = Cases(rig.committer, rig.enrolment, rig.clock, Known(ref))
    await cases.put(DIRECTORY, replace(make_case_put("k1", None), identifier=(kind, f"an {kind}")))
    return ref


async def link(rig: Rig, ref: str) -> str:
    answer = await rig.broker.view(AGENT, ViewRequest(customer=ref, purpose="support_case"))
    assert isinstance(answer, Served)
    return rig.entry(answer.receipt).event.link


def found_by(rig: Rig) -> str | None:
    with rig.store.read() as view:
        row = view.case(TENANT, "k1")
    assert row is not None
    return row.found_by


async def said(rig: Rig, ref: str, claim: str) -> bool:
    asked = VerifyRequest(
        customer=ref, field="phone", part="last4", claim=claim, purpose="support_case"
    )
    answer = await rig.broker.verify(AGENT, asked)
    assert isinstance(answer, Verified)
    return answer.matches


async def test_what_the_customer_says_checks_the_ticket_for_good(acts: Rig) -> None:
    ref = await mailed(acts)
    assert await link(acts, ref) == Link.CLAIMED
    assert not await said(acts, ref, "0000")
    assert found_by(acts) == "email"
    assert await said(acts, ref, "5678")
    assert await link(acts, ref) == Link.OWNER
    checks = [e for e in acts.log() if e.event.body.get("checked")]
    assert [(e.kind, e.event.body["checked"], e.refs) for e in checks] == [
        (EntryKind.CASE, "phone", (ref,))
    ]
    before = len(acts.log())
    assert await said(acts, ref, "5678")
    assert len(acts.log()) == before + 1


async def test_what_the_ticket_itself_brought_checks_nothing(acts: Rig) -> None:
    ref = await mailed(acts, "phone")
    assert await said(acts, ref, "5678")
    assert found_by(acts) == "phone"
    assert await link(acts, ref) == Link.CLAIMED


async def test_the_customers_code_checks_the_ticket(acts: Rig) -> None:
    ref = await mailed(acts)
    fresh = await acts.presence.issue(APP, ref)
    await acts.presence.claim(AGENT, ref, fresh.code)
    assert found_by(acts) is None
    assert await link(acts, ref) == Link.OWNER


async def test_a_verification_by_somebody_else_says_nothing_of_the_case(acts: Rig) -> None:
    ref = await mailed(acts)
    own = await acts.case(ref, "a9")
    asked = VerifyRequest(
        customer=ref, field="phone", part="last4", claim="5678", purpose="support_case", case=own
    )
    answer = await acts.broker.verify(make_caller("a9"), asked)
    assert isinstance(answer, Verified)
    assert found_by(acts) == "email"


def test_a_check_helps_only_a_case_of_the_customer_that_an_address_named() -> None:
    case = make_case(found_by="email")
    assert is_open_to(case, case.ref, "code")
    assert not is_open_to(case, "another", "code")
    assert not is_open_to(case, case.ref, "email")
    assert not is_open_to(make_case(), case.ref, "code")
    assert not is_open_to(None, case.ref, "code")
