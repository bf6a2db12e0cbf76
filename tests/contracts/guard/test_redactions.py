"""Taking a customer's own values out of a text, on both engines."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from guard.entries import EntryKind, OpenedEntry
from guard.errors import AccessDeniedError, InvalidRequestError, SourceError, StoreUnavailableError
from guard.findings import Severity
from guard.in_force import Policies
from guard.ports import RecordSource
from guard.redactions import Redacted, RedactionRequest, Redactions
from guard.rows import RawRecord
from guard.sources.memory import MemorySource
from guard.system_reads import SystemReads
from guard.views import RefusalCode, Refused
from policies.bundle import load_bundle
from policies.model import ActorKind, Role
from tests.support.people import make_finding, put_people, raise_finding, suspend
from tests.support.policy_bundles import default_files
from tests.support.rig import Rig, make_caller

pytestmark = pytest.mark.anyio

DESK = make_caller(
    "a1", role=Role.SERVICE, kind=ActorKind.SERVICE, scopes=frozenset({"redactions:write"})
)
TEXT = (
    "Hi, Maria González here. My number is 0034 612-345 678, card 4111 1111 1111 1111, and I live"
    " at Calle Mayor 12. My new one is +34 699 111 222. I like the gold plan."
)


def redactions(rig: Rig, sources: Mapping[str, RecordSource] | None = None) -> Redactions:
    files = default_files()
    limits = files["quotas.toml"].decode().replace("limit = 30\n", "limit = 3\n")
    return Redactions(
        readers=rig.readers,
        committer=rig.committer,
        reads=SystemReads(sources or {"crm": rig.source}, rig.keyring, deadline_s=20.0),
        keyring=rig.keyring,
        policies=Policies(load_bundle(files | {"quotas.toml": limits.encode()})),
        clock=rig.clock,
    )


def last(rig: Rig) -> OpenedEntry:
    return rig.log()[-1]


async def test_what_is_the_customers_own_and_what_looks_like_it_is_taken_out(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    asked = RedactionRequest(customer=ref, text=TEXT, case="k-9")
    answer = await redactions(rig).redact(DESK, asked)
    assert isinstance(answer, Redacted)
    for secret in ("Maria", "Gonz", "612", "678", "4111", "1111", "Mayor", "699"):
        assert secret not in answer.text
    assert "I like the gold plan." in answer.text
    entry = last(rig)
    assert (entry.kind, entry.refs) == (EntryKind.REDACTION, (ref,))
    assert entry.event.body == {"chars": len(TEXT), "taken": answer.taken}
    assert entry.event.agent == DESK.id
    assert {charge.measure for charge in entry.event.charges} == {"redactions"}
    part = entry.subjects[0]
    assert part is not None
    assert (part.case, part.reason) == ("k-9", "")
    assert "Maria" not in f"{asked!r} {answer!r}"


async def test_a_customer_who_is_gone_from_the_source_still_has_patterns_taken(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    gone = redactions(rig, {"crm": MemorySource("crm", {})})
    answer = await gone.redact(DESK, RedactionRequest(customer=ref, text="4111 1111 1111 1111"))
    assert isinstance(answer, Redacted)
    assert "1111" not in answer.text


async def test_what_cannot_be_read_is_not_answered_and_is_an_entry(rig: Rig) -> None:
    class Broken(MemorySource):
        async def fetch(self, key: str, paths: frozenset[str]) -> RawRecord | None:
            assert key
            assert paths
            raise SourceError("source `crm` is down")

    (ref,) = await rig.customers(1)
    broken = redactions(rig, {"crm": Broken("crm", {})})
    with pytest.raises(SourceError):
        await broken.redact(DESK, RedactionRequest(customer=ref, text=TEXT))
    assert (last(rig).kind, last(rig).refs) == (EntryKind.FAILED, (ref,))
    assert last(rig).event.body == {"what": "redaction"}


async def test_nobody_but_a_service_with_the_scope_may_ask(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    for caller in (
        replace(DESK, role=Role.AGENT),
        replace(DESK, kind=ActorKind.HUMAN),
        replace(DESK, kind=ActorKind.AI),
        replace(DESK, actor="bot-1"),
        replace(DESK, scopes=frozenset({"views:write"})),
    ):
        with pytest.raises(AccessDeniedError):
            await redactions(rig).redact(caller, RedactionRequest(customer=ref, text=TEXT))
    with pytest.raises(InvalidRequestError):
        await redactions(rig).redact(DESK, RedactionRequest(customer=ref, text="x" * 65_537))


async def test_an_unknown_customer_is_refused_with_an_entry(rig: Rig) -> None:
    answer = await redactions(rig).redact(DESK, RedactionRequest(customer="nobody", text=TEXT))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.UNKNOWN_CUSTOMER
    assert (last(rig).kind, last(rig).refs) == (EntryKind.REFUSAL, ())


async def test_guessing_at_one_customer_ends_at_the_budget(rig: Rig) -> None:
    ref, other = await rig.customers(2)
    room = redactions(rig)
    for n in range(3):
        answer = await room.redact(DESK, RedactionRequest(customer=ref, text=f"guess {n}"))
        assert isinstance(answer, Redacted)
    refused = await room.redact(DESK, RedactionRequest(customer=ref, text="guess 4"))
    assert isinstance(refused, Refused)
    assert refused.exceeded == ("customer-redactions-hour",)
    assert last(rig).event.body == {"code": "quota", "what": "redaction"}
    spared = await room.redact(DESK, RedactionRequest(customer=other, text="hello"))
    assert isinstance(spared, Redacted)


async def test_a_suspended_service_gets_nothing(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await put_people(rig)
    await suspend(rig)
    answer = await redactions(rig).redact(DESK, RedactionRequest(customer=ref, text=TEXT))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.SUSPENDED


async def test_a_suspension_that_comes_in_between_still_bites(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await put_people(rig)

    class Slow(MemorySource):
        async def fetch(self, key: str, paths: frozenset[str]) -> RawRecord | None:
            await suspend(rig)
            return await super().fetch(key, paths)

    room = redactions(rig, {"crm": Slow("crm", {"1": {"email": "m@example.com"}})})
    answer = await room.redact(DESK, RedactionRequest(customer=ref, text=TEXT))
    assert isinstance(answer, Refused)
    assert answer.code is RefusalCode.SUSPENDED


async def test_a_standing_that_worsens_in_between_is_asked_for_again(rig: Rig) -> None:
    (ref,) = await rig.customers(1)
    await put_people(rig)

    class Slow(MemorySource):
        async def fetch(self, key: str, paths: frozenset[str]) -> RawRecord | None:
            await raise_finding(rig, 1, make_finding(Severity.HIGH))
            return await super().fetch(key, paths)

    room = redactions(rig, {"crm": Slow("crm", {"1": {"email": "m@example.com"}})})
    with pytest.raises(StoreUnavailableError, match="try again"):
        await room.redact(DESK, RedactionRequest(customer=ref, text=TEXT))
    # The record was read.
    assert (last(rig).kind, last(rig).refs) == (EntryKind.FAILED, (ref,))


async def test_a_text_that_cannot_be_redacted_leaves_an_entry_of_the_read(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    (ref,) = await rig.customers(1)

    def broken(*_: object) -> str:
        raise RecursionError

    monkeypatch.setattr("guard.redactions.redact", broken)
    with pytest.raises(RecursionError):
        await redactions(rig).redact(DESK, RedactionRequest(customer=ref, text=TEXT))
    assert last(rig).event.reasons == ("RecursionError",)
