"""An exact identifier in, at most one reference out, and a miss like a withheld hit."""

from dataclasses import replace

import pytest

from guard.entries import EntryKind, OpenedEntry
from guard.errors import InvalidRequestError, SourceError
from guard.views import Found, RefusalCode, Refused, SearchRequest
from policies.model import Tier
from tests.support.log import settle
from tests.support.people import AGENT, ANALYST, DIRECTORY, make_customer, put_people
from tests.support.rig import Rig, make_caller
from tests.support.statements import counted

pytestmark = pytest.mark.anyio
ASKED = SearchRequest(
    kind="phone", value="+34 612 345 678", purpose="support_case", reason="on the line"
)


async def found(rig: Rig, asked: SearchRequest = ASKED) -> tuple[Found, OpenedEntry]:
    answer = await rig.broker.search(AGENT, asked)
    assert isinstance(answer, Found)
    return answer, rig.entry(answer.receipt)


async def test_a_hit_is_one_reference_and_names_its_customer_in_the_log(acts: Rig) -> None:
    (ref,) = await acts.customers(1)
    acts.lookup.refs["phone", ASKED.value] = (ref,)
    answer, entry = await found(acts)
    assert (answer.customer, answer.narrow) == (ref, False)
    assert (entry.kind, entry.refs) == (EntryKind.SEARCH, (ref,))
    assert entry.event.body == {"on_shift": True, "kind": "phone", "result_count": 1}
    assert ASKED.value not in str(entry)
    assert ASKED.value not in repr(ASKED)


async def test_a_miss_costs_as_much_and_names_nobody(acts: Rig) -> None:
    answer, entry = await found(acts)
    assert answer.customer is None
    assert (entry.refs, entry.event.body["result_count"]) == ((), 0)
    assert [c.measure for c in entry.event.charges] == ["searches"]


async def test_two_customers_of_one_identifier_are_nobody_until_it_is_narrowed(acts: Rig) -> None:
    acts.lookup.refs["phone", ASKED.value] = tuple(await acts.customers(2))
    answer, entry = await found(acts)
    assert (answer.customer, answer.narrow, entry.refs) == (None, True, ())


@pytest.mark.parametrize("changes", [{"region": "us"}, {"tier": Tier.VIP}])
async def test_who_may_not_be_found_is_not_told_from_a_miss(
    acts: Rig, changes: dict[str, object]
) -> None:
    miss, _ = await found(acts)
    (ref,) = await acts.customers(1, **changes)
    acts.lookup.refs["phone", ASKED.value] = (ref,)
    withheld, entry = await found(acts)
    assert (withheld.customer, withheld.narrow) == (miss.customer, miss.narrow) == (None, False)
    assert (entry.refs, entry.event.body["withheld"]) == ((), True)


# Into the tree at once, or on its way there.
ENTERED = ("INSERT INTO entry ", "INSERT INTO pending ")


async def test_hit_miss_and_withheld_send_the_same_statements(acts: Rig) -> None:
    (ref,) = await acts.customers(1)
    abroad = replace(make_customer("2"), region="us")
    (far,) = (await acts.enrolment.enrol(DIRECTORY, [abroad])).values()
    acts.lookup.refs |= {("phone", "hit"): (ref,), ("phone", "far"): (far,)}
    await found(acts)
    sent: dict[str, list[str]] = {}
    for value in ("miss", "hit", "far"):
        settle(acts.store)
        with counted() as statements:
            await acts.broker.search(AGENT, replace(ASKED, value=value))
        sent[value] = statements
    assert len(sent["miss"]) == len(sent["far"])
    # A hit, which its caller is told anyway, has its customer's part to write beside.
    reads = {v: [s for s in many if s.startswith("SELECT")] for v, many in sent.items()}
    assert len(reads["hit"]) - len(reads["miss"]) in {0, 1}
    commits = {v: sum(s.startswith(ENTERED) for s in many) for v, many in sent.items()}
    assert commits == {"miss": 1, "hit": 1, "far": 1}


async def test_searches_are_bounded_hit_or_miss(acts: Rig) -> None:
    answers = [await acts.broker.search(AGENT, ASKED) for _ in range(6)]
    assert [isinstance(a, Found) for a in answers] == [True] * 4 + [False] * 2
    assert isinstance(answers[-1], Refused)
    assert answers[-1].code is RefusalCode.QUOTA
    # The last one was refused before anybody was looked up.
    assert acts.lookup.asked == 5


async def test_an_unknown_purpose_and_a_suspension_are_refused_with_an_entry(acts: Rig) -> None:
    answer = await acts.broker.search(AGENT, replace(ASKED, purpose="curiosity"))
    assert isinstance(answer, Refused)
    await put_people(acts)
    await acts.suspensions.suspend(
        ANALYST, agent_id="a1", reason="under review", ends_at=acts.clock.now() + 3_600_000_000
    )
    for purpose in ("curiosity", "support_case"):
        answer = await acts.broker.search(AGENT, replace(ASKED, purpose=purpose))
        assert isinstance(answer, Refused)
        assert answer.code is RefusalCode.SUSPENDED
        entry = acts.entry(answer.receipt)
        assert (entry.kind, entry.event.act) == (EntryKind.REFUSAL, "search")


async def test_what_cannot_be_looked_up_is_an_entry_too(
    acts: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidRequestError):
        await acts.broker.search(AGENT, replace(ASKED, kind="shoe_size"))
    assert acts.log()[-1].kind is EntryKind.FAILED
    monkeypatch.setattr(acts.lookup, "find", None)

    async def broken(*_: str) -> tuple[str, ...]:
        raise SourceError("no index")

    monkeypatch.setattr(acts.lookup, "find", broken)
    with pytest.raises(SourceError):
        await acts.broker.search(AGENT, ASKED)
    assert acts.log()[-1].event.reasons == ("SourceError",)


async def test_ones_own_vip_is_found(acts: Rig) -> None:
    (ref,) = await acts.customers(1, tier=Tier.VIP)
    await acts.case(ref)
    acts.lookup.refs["phone", ASKED.value] = (ref,)
    answer, _ = await found(acts)
    assert answer.customer == ref
    other = await acts.broker.search(make_caller("a2"), ASKED)
    assert isinstance(other, Found)
    assert other.customer is None
