from guard.backtest.known import Standing
from guard.backtest.tally import Alike, Tally
from guard.backtest.verdicts import Looks
from guard.entries import EntryKind
from policies.model import Forbid, Form, Permit

PERMIT = Permit({}, {}, (), ("let-in",))
FORBID = Forbid(("no",), ("no-link", "closed"))
MASKED = Looks(now={"contact": Form.MASK}, before={"contact": Form.MASK})
VIEW = Alike(
    facts_id="f",
    act="view",
    team="t",
    kind=EntryKind.VIEW,
    refused=None,
    bundle="b",
    classes=b'{"contact":"mask"}',
    standing=Standing.HONEST,
)


def test_requests_are_counted_by_team_act_and_policy() -> None:
    tally = Tally()
    tally.add(VIEW, PERMIT, MASKED, 5)
    tally.add(VIEW._replace(team="u"), FORBID, MASKED, 2)
    tally.add(VIEW._replace(act="search", standing=Standing.UNEXPLAINED), FORBID, MASKED, 1)
    report = tally.report("d", 3)
    assert (report.decided, report.honest, report.honest_refused) == (8, 7, 2)
    assert [(t.team, t.requests, t.newly_refused, t.honest_refused) for t in report.teams] == [
        ("t", 6, 1, 0),
        ("u", 2, 2, 2),
    ]
    assert [(a.act, a.requests, a.newly_refused) for a in report.acts] == [
        ("search", 1, 1),
        ("view", 7, 2),
    ]
    assert [(row.name, row.requests) for row in report.refused_by] == [
        ("closed", 3),
        ("no-link", 3),
    ]


def test_what_a_budget_or_a_suspension_refused_is_not_newly_allowed() -> None:
    tally = Tally()
    for code in ("policy", "explained_only", "", "quota", "suspended", "failed"):
        tally.add(VIEW._replace(refused=code, classes=b"{}"), PERMIT, MASKED, 1)
        tally.add(VIEW._replace(refused=code, classes=b"{}"), FORBID, MASKED, 1)
    report = tally.report("d", 1)
    assert (report.newly_allowed, report.newly_refused, report.honest) == (3, 0, 0)


def test_a_part_of_a_class_that_shows_less_is_no_change() -> None:
    tally = Tally()
    tally.add(VIEW._replace(classes=b'{"contact":"redact"}'), PERMIT, MASKED, 1)
    assert tally.report("d", 1).classes == ()


def test_a_class_that_was_not_asked_for_is_no_change_and_a_hidden_one_is() -> None:
    tally = Tally()
    looks = Looks(now={"contact": Form.PLAIN, "money": Form.MASK}, before={"contact": Form.MASK})
    tally.add(VIEW._replace(classes=b"{}"), PERMIT, looks, 4)
    (row,) = tally.report("d", 1).classes
    assert (row.field_class, row.before, row.after, row.requests) == ("money", "hide", "mask", 4)
    lost = Tally()
    lost.add(VIEW._replace(classes=b"{}"), PERMIT, Looks(now=looks.now, before=None), 4)
    assert lost.report("d", 1).classes == ()


def test_customers_who_would_still_be_seen_are_counted_once() -> None:
    tally = Tally()
    tally.add_customers(["c1", "c2"], FORBID)
    tally.add_customers(["c1"], PERMIT)
    tally.add_customers(["c3"], "its facts are not in the store")
    report = tally.report("d", 1)
    assert (report.customers_seen, report.customers_still_seen) == (3, 2)


def test_bad_requests_that_were_shown_and_would_be_refused_are_stopped() -> None:
    tally = Tally()
    bad = VIEW._replace(standing=Standing.BAD)
    tally.add(bad, FORBID, MASKED, 3)
    tally.add(bad, PERMIT, MASKED, 1)
    tally.add(bad._replace(refused="policy"), FORBID, MASKED, 9)
    report = tally.report("d", 1)
    assert (report.bad, report.bad_stopped, report.honest) == (4, 3, 0)
