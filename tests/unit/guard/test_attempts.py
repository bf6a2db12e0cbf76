from dataclasses import replace

import msgspec
import pytest

from guard.attempts import Attempt, Refusal, over_budget
from guard.entries import EntryKind, event_by
from guard.errors import SourceError
from guard.in_force import InForce
from guard.rows import Situation
from guard.views import RefusalCode, ViewRequest
from policies.bundle import load_bundle
from policies.model import Act, Mode, Risk
from tests.support.makers import NOON, make_subject
from tests.support.policy_bundles import small_files
from tests.support.rig import make_caller

POLICY = Refusal(code=RefusalCode.POLICY, reasons=("not now",), determined_by=("p1",))


def attempt(mode: Mode = Mode.ENFORCE, *, is_known: bool = True) -> Attempt:
    event = msgspec.structs.replace(
        event_by(make_caller(), EntryKind.VIEW, NOON),
        classes={"contact": "mask"},
        n_fields=4,
        n_sensitive=1,
        determined_by=("p0", "p1"),
    )
    situation = Situation(
        subject=make_subject() if is_known else None,
        case=None,
        assignments=(),
        own_open_cases=(),
        work_list=None,
        risk=Risk.NONE,
        is_suspended=False,
        mode=mode,
    )
    request = ViewRequest(customer="c1", purpose="support_case", case="k1", reason="callback")
    return Attempt(
        principal=make_caller(),
        request=request,
        at=NOON,
        situation=situation,
        event=event,
        in_force=InForce.of(load_bundle(small_files())),
    )


def test_a_view_names_its_customer_case_and_reason_apart_from_the_event() -> None:
    entry = attempt().shown()
    assert (entry.kind, entry.event.outcome) == (EntryKind.VIEW, "permitted")
    (subject,) = entry.subjects
    assert (subject.customer, subject.case, subject.reason) == ("c1", "k1", "callback")
    assert "callback" not in str(entry.event)


def test_a_refusal_says_that_nothing_was_shown() -> None:
    entry = attempt().refused(POLICY)
    assert (entry.kind, entry.event.classes, entry.event.n_fields) == (EntryKind.REFUSAL, {}, 0)
    assert entry.event.determined_by == ("p0", "p1")
    assert entry.event.body == {"code": "policy"}


def test_an_unknown_customer_is_named_nowhere() -> None:
    assert attempt(is_known=False).refused(POLICY).subjects == ()


def test_spent_budgets_refuse_only_where_the_mode_enforces() -> None:
    assert attempt().exceeded(("day",)).kind is EntryKind.REFUSAL
    shown = attempt(Mode.MASK).exceeded(("day",))
    assert (shown.kind, shown.event.would, shown.event.reasons) == (
        EntryKind.VIEW,
        "refused",
        ("day",),
    )


@pytest.mark.parametrize("act", [Act.REVEAL, Act.VERIFY, Act.SEARCH])
def test_what_could_be_repeated_until_a_mask_is_guessed_is_metered_where_it_masks(act: Act) -> None:
    assert replace(attempt(Mode.MASK), act=act).exceeded(("day",)).kind is EntryKind.REFUSAL
    assert not replace(attempt(Mode.OBSERVE), act=act).meters


def test_a_failure_names_the_kind_of_error_and_not_its_text() -> None:
    entry = attempt().failed(SourceError("maria@example.com not found"))
    assert (entry.kind, entry.event.reasons) == (EntryKind.FAILED, ("SourceError",))


def test_each_spent_budget_has_its_sentence() -> None:
    refusal = over_budget(("day", "hour"))
    assert (len(refusal.reasons), refusal.determined_by) == (2, ("day", "hour"))
