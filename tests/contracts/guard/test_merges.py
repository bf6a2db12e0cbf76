"""Merging two customers by reference, on both engines."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from guard.entries import EntryKind, OpenedEntry
from guard.errors import (
    AccessDeniedError,
    ConflictError,
    DeliveryUnknownError,
    InvalidRequestError,
    NotDeliveredError,
    StoreUnavailableError,
)
from guard.findings import Severity
from guard.in_force import Policies
from guard.merges import Merged, MergeRequest, Merges
from guard.purposes.reports import CasePut
from guard.views import RefusalCode, Refused
from policies.bundle import load_bundle
from policies.model import Role
from tests.support.makers import TENANT
from tests.support.people import make_finding, put_people, raise_finding, suspend
from tests.support.policy_bundles import default_files
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio

AGENT = make_caller(scopes=frozenset({"views:write", "merges:write"}))
BUDGET = b"""
[[budget]]
name = "contacts-hour"
measure = "contacts"
key = "agent"
window = "hour"
limit = 2
"""


@dataclass
class Crm:
    """The source system's side of a merge."""

    told: list[dict[str, object]] = field(default_factory=list)
    failure: BaseException | None = None

    async def send(self, payload: dict[str, object]) -> str:
        self.told.append(payload)
        if self.failure is not None:
            raise self.failure
        return "crm-merge-7"


def merges(rig: Rig, crm: Crm | None) -> Merges:
    files = default_files()
    bundle = load_bundle(files | {"quotas.toml": files["quotas.toml"] + BUDGET})
    return Merges(
        readers=rig.readers,
        committer=rig.committer,
        policies=Policies(bundle),
        keyring=rig.keyring,
        clock=rig.clock,
        notice=crm,
    )


async def pair(rig: Rig, how: str = "inbound") -> MergeRequest:
    """Two customers with a case each, both of the same agent."""
    keep, merge = await rig.customers(2)
    await rig.case(merge, how=how)
    case = await rig.case(keep)
    return MergeRequest(keep=keep, merge=merge, case=case, reason="same passport")


def kinds(rig: Rig) -> list[EntryKind]:
    own = {EntryKind.MERGE, EntryKind.RELATION, EntryKind.REFUSAL, EntryKind.FAILED}
    return [e.kind for e in rig.log() if e.kind in own]


def last(rig: Rig) -> OpenedEntry:
    return rig.log()[-1]


async def test_the_source_system_is_told_its_own_keys_after_the_entry(rig: Rig) -> None:
    request, crm = await pair(rig), Crm()
    answer = await merges(rig, crm).merge(AGENT, request)
    assert isinstance(answer, Merged)
    assert answer.merge_id == "crm-merge-7"
    assert crm.told == [
        {
            "type": "customer.merge",
            "keep": {"source": "crm", "key": "1"},
            "merge": {"source": "crm", "key": "2"},
        }
    ]
    assert kinds(rig) == [EntryKind.MERGE, EntryKind.RELATION]
    merged = next(e for e in rig.log() if e.kind is EntryKind.MERGE)
    assert merged.refs == (request.keep, request.merge)
    assert merged.event.link == merged.event.body["link_of_merged"] == "owner"
    assert {c.measure for c in merged.event.charges} == {"contacts"}
    part = merged.subjects[1]
    assert part is not None
    assert (part.case, part.reason) == (request.case, "same passport")
    with rig.store.read() as view:
        assert view.facts(merged.event.facts_id) is not None
        assert [(r.other, r.kind) for r in view.related(TENANT, request.merge)] == [
            (request.keep, "merged")
        ]


async def test_the_named_case_may_be_of_either_customer(rig: Rig) -> None:
    request, crm = await pair(rig), Crm()
    turned = replace(request, keep=request.merge, merge=request.keep)
    assert isinstance(await merges(rig, crm).merge(AGENT, turned), Merged)


@pytest.mark.parametrize("how", ["transfer", "escalation"])
async def test_other_strong_explanations_count(rig: Rig, how: str) -> None:
    request, crm = await pair(rig, how), Crm()
    assert isinstance(await merges(rig, crm).merge(AGENT, request), Merged)


async def test_one_explained_customer_is_not_enough(rig: Rig) -> None:
    keep, merge = await rig.customers(2)
    case, crm = await rig.case(keep), Crm()
    request = MergeRequest(keep=keep, merge=merge, case=case, reason="same passport")
    answer = await merges(rig, crm).merge(AGENT, request)
    assert isinstance(answer, Refused)
    assert (answer.code, crm.told, kinds(rig)) == (RefusalCode.POLICY, [], [EntryKind.REFUSAL])
    assert last(rig).refs == (keep, merge)
    assert last(rig).event.body == {"code": "policy", "what": "merge"}


async def test_the_facts_that_a_refusal_names_are_kept(rig: Rig) -> None:
    keep, merge = await rig.customers(2)
    case = await rig.case(keep)
    request = MergeRequest(keep=keep, merge=merge, case=case, reason="same passport")
    assert isinstance(await merges(rig, Crm()).merge(AGENT, request), Refused)
    event = last(rig).event
    with rig.store.read() as view:
        assert view.facts(event.facts_id) is not None


async def test_a_self_opened_case_is_not_enough(rig: Rig) -> None:
    keep, merge = await rig.customers(2)
    await rig.case(merge, how="self", opened_by="a1")
    case, crm = await rig.case(keep), Crm()
    request = MergeRequest(keep=keep, merge=merge, case=case, reason="same passport")
    assert isinstance(await merges(rig, crm).merge(AGENT, request), Refused)
    assert crm.told == []


async def test_a_closed_case_explains_no_merge(rig: Rig) -> None:
    request, crm = await pair(rig), Crm()
    at = rig.clock.now()
    rig.clock.advance(24 * 3_600_000_000)
    put = CasePut(
        id=request.case, customer=request.keep, channel="phone", opened_at=at, closed_at=at
    )
    await rig.cases.put(make_caller("desk", role=Role.SERVICE), put)
    assert isinstance(await merges(rig, crm).merge(AGENT, request), Refused)


async def test_a_stranger_is_refused_with_an_entry_of_who_is_known(rig: Rig) -> None:
    request, crm = await pair(rig), Crm()
    answer = await merges(rig, crm).merge(AGENT, replace(request, merge="nobody"))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.UNKNOWN_CUSTOMER
    assert last(rig).refs == (request.keep,)


async def test_a_budget_ends_it(rig: Rig) -> None:
    request, crm = await pair(rig), Crm()
    room = merges(rig, crm)
    for _ in range(2):
        assert isinstance(await room.merge(AGENT, request), Merged)
    answer = await room.merge(AGENT, request)
    assert isinstance(answer, Refused)
    assert (answer.exceeded, len(crm.told)) == (("contacts-hour",), 2)


@pytest.mark.parametrize(
    "failure",
    [
        NotDeliveredError("`merge_url` answered with status 422"),
        DeliveryUnknownError("`merge_url` did not answer"),
        asyncio.CancelledError(),
    ],
    ids=lambda failure: type(failure).__name__,
)
async def test_a_source_system_that_does_not_take_it_leaves_an_entry_and_no_relation(
    rig: Rig, failure: BaseException
) -> None:
    request, crm = await pair(rig), Crm(failure=failure)
    with pytest.raises(type(failure)):
        await merges(rig, crm).merge(AGENT, request)
    assert kinds(rig) == [EntryKind.MERGE, EntryKind.FAILED]
    assert last(rig).event.reasons == (type(failure).__name__,)
    with rig.store.read() as view:
        assert view.related(TENANT, request.keep) == []


async def test_a_suspended_agent_merges_nobody(rig: Rig) -> None:
    request, crm = await pair(rig), Crm()
    await put_people(rig)
    await suspend(rig)
    answer = await merges(rig, crm).merge(AGENT, request)
    assert isinstance(answer, Refused)
    assert (answer.code, crm.told) == (RefusalCode.SUSPENDED, [])


async def test_what_makes_no_sense_is_refused_at_once(rig: Rig) -> None:
    request, crm = await pair(rig), Crm()
    for wrong in (
        replace(request, merge=request.keep),
        replace(request, reason=" "),
        replace(request, reason="x" * 2_001),
    ):
        with pytest.raises(InvalidRequestError):
            await merges(rig, crm).merge(AGENT, wrong)
    with pytest.raises(AccessDeniedError):
        await merges(rig, crm).merge(replace(AGENT, scopes=frozenset()), request)
    with pytest.raises(ConflictError, match="merge_url"):
        await merges(rig, None).merge(AGENT, request)
    assert kinds(rig) == []


async def test_a_standing_that_worsens_in_between_tells_nobody(rig: Rig) -> None:
    request, crm = await pair(rig), Crm()
    await put_people(rig)

    room = merges(rig, crm)
    intern = room._intern  # noqa: SLF001 - the last step before the admission

    async def slow(*given: Any) -> None:  # noqa: ANN401 - as the step
        await intern(*given)
        await raise_finding(rig, 1, make_finding(Severity.HIGH))

    room._intern = slow  # type: ignore[method-assign,assignment] # noqa: SLF001 - as above
    with pytest.raises(StoreUnavailableError, match="try again"):
        await room.merge(AGENT, request)
    assert (crm.told, kinds(rig)) == ([], [])


async def test_a_suspension_at_the_last_moment_tells_nobody(rig: Rig) -> None:
    request, crm = await pair(rig), Crm()
    await put_people(rig)
    room = merges(rig, crm)
    intern = room._intern  # noqa: SLF001 - the last step before the admission

    async def slow(*given: Any) -> None:  # noqa: ANN401 - as the step
        await intern(*given)
        await suspend(rig)

    room._intern = slow  # type: ignore[method-assign,assignment] # noqa: SLF001 - as above
    answer = await room.merge(AGENT, request)
    assert isinstance(answer, Refused)
    assert (answer.code, crm.told) == (RefusalCode.SUSPENDED, [])


async def test_an_agent_that_acts_for_a_human_charges_both(rig: Rig) -> None:
    request, crm = await pair(rig), Crm()
    await merges(rig, crm).merge(replace(AGENT, actor="bot-1"), request)
    entry = next(e for e in rig.log() if e.kind in (EntryKind.MERGE, EntryKind.REFUSAL))
    assert entry.event.actor == "bot-1"


async def test_what_the_policy_forbids_is_refused_in_its_words(rig: Rig) -> None:
    request, crm = await pair(rig), Crm()
    answer = await merges(rig, crm).merge(replace(AGENT, role=Role.AUDITOR), request)
    assert isinstance(answer, Refused)
    assert answer.determined_by
    assert answer.determined_by != ("merge-unexplained",)
    assert crm.told == []
