from dataclasses import replace

import msgspec
import pytest

from api.feed import baseline_digest, floor_events
from guard.entries import BodyValue, EntryKind, EventPart, OpenedEntry, SubjectPart
from guard.events import (
    AccessAction,
    AccessEvent,
    AssignmentEvent,
    CaseEvent,
    DisputeEvent,
    LateLinkEvent,
    ProfileEvent,
    ReviewEvent,
)
from policies.model import Link


def opened(
    kind: EntryKind,
    body: dict[str, BodyValue] | None = None,
    refs: tuple[str, ...] = (),
    **event: str | int | tuple[int, int],
) -> OpenedEntry:
    part = EventPart(
        at=5_000,
        kind=kind.name.lower(),
        tenant="north",
        agent="a-1",
        body=body or {},
        **event,  # type: ignore[arg-type] # the few fields that a test sets, by name
    )
    return OpenedEntry(
        index=11,
        entry_id="00" * 16,
        kind=kind,
        event=part,
        refs=refs,
        subjects=tuple(SubjectPart(customer=r, case="c-9") for r in refs),
    )


def test_a_view_is_one_look_with_what_explained_it() -> None:
    entry = opened(
        EntryKind.VIEW,
        {"on_shift": False},
        ("r1",),
        link="owner",
        purpose="support_case",
        n_fields=9,
    )
    assert floor_events(entry) == [
        AccessEvent(
            position=11,
            ts=5_000,
            agent_id="a-1",
            customer_id="r1",
            case_id="c-9",
            purpose="support_case",
            link=Link.OWNER,
            n_fields=9,
            outcome="permitted",
            on_shift=False,
        )
    ]


@pytest.mark.parametrize(
    ("kind", "outcome"), [(EntryKind.REFUSAL, "refused"), (EntryKind.FAILED, "failed")]
)
def test_what_was_not_shown_is_a_look_too(kind: EntryKind, outcome: str) -> None:
    (event,) = floor_events(opened(kind, refs=("r1",)))
    assert isinstance(event, AccessEvent)
    assert event.outcome == outcome


def test_a_link_or_action_of_a_later_release_explains_nothing() -> None:
    (event,) = floor_events(opened(EntryKind.VIEW, {"action": "peek"}, ("r1",), link="telepathy"))
    assert isinstance(event, AccessEvent)
    assert (event.link, event.action) == (Link.NONE, AccessAction.VIEW)


def test_an_export_is_a_look_at_each_of_its_customers() -> None:
    events = floor_events(opened(EntryKind.EXPORT, refs=("r1", "r2")))
    assert [(e.customer_id, e.action) for e in events if isinstance(e, AccessEvent)] == [
        ("r1", AccessAction.EXPORT),
        ("r2", AccessAction.EXPORT),
    ]


def test_an_erased_subject_part_still_leaves_the_look() -> None:
    entry = OpenedEntry(
        index=3,
        entry_id="00" * 16,
        kind=EntryKind.VIEW,
        event=EventPart(at=1, kind="view", tenant="north", agent="a-1"),
        refs=("r1",),
        subjects=(None,),
    )
    (event,) = floor_events(entry)
    assert isinstance(event, AccessEvent)
    assert (event.customer_id, event.case_id) == ("r1", None)


def test_what_an_ai_agent_looks_at_is_its_own() -> None:
    (event,) = floor_events(opened(EntryKind.VIEW, refs=("r1",), actor="ai-7"))
    assert isinstance(event, AccessEvent)
    assert event.agent_id == "ai-7"


def test_cases_and_assignments_carry_their_customer() -> None:
    case = opened(
        EntryKind.CASE, {"case": "c-9", "channel": "chat", "opened_by": "", "open": False}, ("r1",)
    )
    assert floor_events(case) == [
        CaseEvent(
            position=11,
            ts=5_000,
            case_id="c-9",
            customer_id="r1",
            opened_by=None,
            channel="chat",
            is_open=False,
        )
    ]
    given = opened(
        EntryKind.ASSIGNMENT,
        {"case": "c-9", "agent": "a-2", "how": "inbound", "start": True},
        ("r1",),
    )
    assert floor_events(given) == [
        AssignmentEvent(
            position=11,
            ts=5_000,
            case_id="c-9",
            customer_id="r1",
            agent_id="a-2",
            how="inbound",
            is_start=True,
        )
    ]


def test_a_directory_entry_is_a_profile() -> None:
    body: dict[str, BodyValue] = {
        "agent": "a-2",
        "team": "billing",
        "role": "lead",
        "kind": "human",
        "vendor": "v",
        "site": "s",
        "manager": "m-1",
        "tz": "Asia/Manila",
        "shift_start": 540,
        "active": True,
    }
    (event,) = floor_events(opened(EntryKind.PRINCIPAL, body))
    assert isinstance(event, ProfileEvent)
    profile = event.profile
    assert (profile.agent_id, profile.team, profile.role) == ("a-2", "billing", "lead")
    assert (profile.tz, profile.shift_start, profile.manager_id) == ("Asia/Manila", 540, "m-1")


def test_a_profile_without_a_shift_has_none() -> None:
    (event,) = floor_events(opened(EntryKind.PRINCIPAL, {"agent": "a-2", "shift_start": True}))
    assert isinstance(event, ProfileEvent)
    assert event.profile.shift_start is None


def test_responses_say_whom_they_concern_and_whether_they_begin() -> None:
    begun = opened(
        EntryKind.RESPONSE,
        {"kind": "mask_more", "agent": "a-2", "by": "system", "active": True, "alert": "alr-1"},
    )
    assert floor_events(begun) == [
        ReviewEvent(
            position=11,
            ts=5_000,
            agent_id="a-2",
            by="system",
            what="mask_more:on",
            alert_id="alr-1",
        )
    ]
    ended = opened(EntryKind.SUSPENSION, {"kind": "suspend", "agent": "a-2", "active": False})
    (event,) = floor_events(ended)
    assert isinstance(event, ReviewEvent)
    assert (event.what, event.by, event.alert_id) == ("suspend:off", "a-1", None)


def test_a_label_concerns_every_agent_of_the_alert() -> None:
    body: dict[str, BodyValue] = {"alert": "alr-1", "state": "dismissed", "agents": ["a-2", "a-3"]}
    events = floor_events(opened(EntryKind.LABEL, body))
    assert [(e.agent_id, e.what, e.by) for e in events if isinstance(e, ReviewEvent)] == [
        ("a-2", "dismissed", "a-1"),
        ("a-3", "dismissed", "a-1"),
    ]
    assert floor_events(opened(EntryKind.LABEL, {"alert": "alr-1", "state": "x"})) == []


@pytest.mark.parametrize("kind", [EntryKind.SIGN_IN, EntryKind.WRITER_OPEN, EntryKind.ALERT])
def test_what_says_nothing_of_the_floor_is_passed_over(kind: EntryKind) -> None:
    assert floor_events(opened(kind)) == []


def test_a_baseline_names_its_digest() -> None:
    assert baseline_digest(opened(EntryKind.BASELINE, {"digest": "ab"}).event) == "ab"
    assert baseline_digest(opened(EntryKind.BASELINE).event) == ""


def test_a_late_link_names_the_view_and_an_assignment_says_how_many_there_are() -> None:
    body: dict[str, BodyValue] = {
        "of": "00" * 16,
        "index": 4,
        "agent": "a-2",
        "was": "pending",
        "link": "owner",
        "case": "c-9",
        "case_opened_by": "",
    }
    assert floor_events(opened(EntryKind.LATE_LINK, body, ("r1",))) == [
        LateLinkEvent(
            position=11,
            ts=5_000,
            agent_id="a-2",
            customer_id="r1",
            of=4,
            link=Link.OWNER,
            case_id="c-9",
            opened_by=None,
        )
    ]
    given: dict[str, BodyValue] = {
        "case": "c-9",
        "agent": "a-2",
        "how": "inbound",
        "start": True,
        "until": 9,
        "late_links": 0,
    }
    (event,) = floor_events(opened(EntryKind.ASSIGNMENT, given, ("r1",)))
    assert isinstance(event, AssignmentEvent)
    assert (event.until, event.late_links) == (9, 0)


def test_a_late_link_that_says_nothing_repairs_nothing() -> None:
    (event,) = floor_events(opened(EntryKind.LATE_LINK, {}, ("r1",)))
    assert isinstance(event, LateLinkEvent)
    assert (event.of, event.link) == (-1, Link.NONE)


def test_a_reveal_is_a_look_of_its_own_kind() -> None:
    (event,) = floor_events(opened(EntryKind.REVEAL, {"of": "e1"}, ("r1",), act="reveal"))
    assert isinstance(event, AccessEvent)
    assert (event.action, event.customer_id) == (AccessAction.REVEAL, "r1")


@pytest.mark.parametrize(
    "kind",
    [EntryKind.CONTACT, EntryKind.DELIVERY],
)
def test_what_shows_no_record_is_no_look(kind: EntryKind) -> None:
    assert floor_events(opened(kind, refs=("r1",))) == []


@pytest.mark.parametrize(
    ("kind", "act"),
    [
        (EntryKind.LISTED, "list"),
        (EntryKind.VERIFICATION, "verify"),
        (EntryKind.CONTACT, "contact"),
        (EntryKind.REFUSAL, "list"),
        (EntryKind.FAILED, "verify"),
    ],
)
def test_a_decoy_is_seen_whatever_was_done_with_it(kind: EntryKind, act: str) -> None:
    (event,) = floor_events(opened(kind, {"decoy": True}, ("r1",), act=act))
    assert isinstance(event, AccessEvent)
    assert (event.customer_id, event.is_decoy) == ("r1", True)


@pytest.mark.parametrize("act", ["contact"])
def test_nor_is_its_refusal(act: str) -> None:
    assert floor_events(opened(EntryKind.REFUSAL, {"code": "policy"}, ("r1",), act=act)) == []
    (guess,) = floor_events(opened(EntryKind.REFUSAL, {"code": "unknown_customer"}, act=act))
    assert isinstance(guess, AccessEvent)
    assert guess.result_count == 0


def test_a_verification_is_seen_with_its_answer_and_its_reason() -> None:
    kind, said = EntryKind.VERIFICATION, {"field": "phone", "part": "last4"}
    right, wrong = (
        floor_events(opened(kind, {**said, "matched": matched}, ("r1",), link=link, act="verify"))[
            0
        ]
        for matched, link in ((True, "owner"), (False, "pending"))
    )
    assert isinstance(right, AccessEvent)
    assert isinstance(wrong, AccessEvent)
    assert (right.action, right.result_count, right.link) == (AccessAction.VERIFY, 1, Link.OWNER)
    assert (wrong.customer_id, wrong.result_count, wrong.link) == ("r1", 0, Link.PENDING)
    (refused,) = floor_events(opened(EntryKind.REFUSAL, {"code": "policy"}, ("r1",), act="verify"))
    assert isinstance(refused, AccessEvent)
    assert (refused.action, refused.result_count) == (AccessAction.VERIFY, 1)
    assert refused.outcome == "refused"


def test_a_search_is_seen_whether_it_found_somebody_or_not() -> None:
    (hit,) = floor_events(opened(EntryKind.SEARCH, {"result_count": 1}, ("r1",), act="search"))
    (miss,) = floor_events(
        opened(EntryKind.SEARCH, {"result_count": 0, "decoy": True}, act="search")
    )
    assert isinstance(hit, AccessEvent)
    assert isinstance(miss, AccessEvent)
    assert (hit.action, hit.customer_id, hit.result_count) == (AccessAction.SEARCH, "r1", 1)
    assert (miss.action, miss.customer_id, miss.result_count) == (AccessAction.SEARCH, "", 0)
    assert miss.is_decoy


@pytest.mark.parametrize(("state", "outcome"), [("opened", "permitted"), ("refused", "refused")])
def test_a_break_glass_is_a_look_given_or_not(state: str, outcome: str) -> None:
    body: dict[str, BodyValue] = {"kind": "break_glass", "state": state}
    assert floor_events(opened(EntryKind.GRANT, body, ("r1",))) == [
        AccessEvent(
            position=11,
            ts=5_000,
            agent_id="a-1",
            customer_id="r1",
            case_id="c-9",
            purpose="break_glass",
            link=Link.BREAK_GLASS,
            outcome=outcome,
        )
    ]


def test_a_break_glass_of_nobody_is_a_guess() -> None:
    body: dict[str, BodyValue] = {"kind": "break_glass", "state": "refused"}
    (event,) = floor_events(opened(EntryKind.GRANT, body))
    assert isinstance(event, AccessEvent)
    assert (event.action, event.result_count) == (AccessAction.SEARCH, 0)


@pytest.mark.parametrize(
    ("kind", "state"),
    [("break_glass", "ended"), ("break_glass", "reviewed"), ("customer_present", "opened")],
)
def test_other_grants_are_no_look(kind: str, state: str) -> None:
    body: dict[str, BodyValue] = {"kind": kind, "state": state}
    assert floor_events(opened(EntryKind.GRANT, body, ("r1",))) == []


@pytest.mark.parametrize(
    ("kind", "outcome"), [(EntryKind.LISTED, "permitted"), (EntryKind.REFUSAL, "refused")]
)
def test_a_row_of_a_queue_is_a_glance_of_its_own_kind(kind: EntryKind, outcome: str) -> None:
    (event,) = floor_events(opened(kind, refs=("r1",), act="list", outcome=outcome))
    assert isinstance(event, AccessEvent)
    assert (event.action, event.customer_id) == (AccessAction.LIST, "r1")


def test_a_report_that_came_too_late_says_nothing_of_the_case() -> None:
    entry = opened(EntryKind.CASE, {"case": "k1", "ignored": True, "as_of": 5}, ("r1",))
    assert floor_events(entry) == []


def test_a_dispute_names_the_agent_and_the_row() -> None:
    body: dict[str, BodyValue] = {"of": "00" * 16, "index": 7, "agent": "a-9"}
    assert floor_events(opened(EntryKind.DISPUTE, body, ("r1",))) == [
        DisputeEvent(position=11, ts=5_000, agent_id="a-9", customer_id="r1", of=7)
    ]
    (unplaced,) = floor_events(opened(EntryKind.DISPUTE, {"agent": "a-9"}, ("r1",)))
    assert isinstance(unplaced, DisputeEvent)
    assert unplaced.of == -1


def test_a_live_push_is_nobodys_look() -> None:
    by_system = opened(EntryKind.EXPORT, {"sink": "siem"}, ("r1",))
    event = msgspec.structs.replace(by_system.event, agent="system")
    assert floor_events(by_system) != []
    assert floor_events(replace(by_system, event=event)) == []
