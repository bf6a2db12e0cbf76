import re

import pytest

from policies.budgets import ACT_OF, parse_budgets
from policies.errors import BundleError
from policies.model import Act, ActorKind, Budget, BudgetKey, Measure, Purpose, Risk, Window
from tests.support.policy_bundles import default_files

GOOD = """\
[[budget]]
name = "views-hour"
measure = "views"
key = "actor"
window = "hour"
limit = 5
kind = "ai"
purpose = "outreach"
by_risk = { notified = 3, explained_only = 0 }
"""


def test_a_budget_holds_what_its_table_says() -> None:
    (budget,) = parse_budgets(GOOD.encode(), "quotas.toml")

    assert budget == Budget(
        name="views-hour",
        measure=Measure.VIEWS,
        key=BudgetKey.ACTOR,
        window=Window.HOUR,
        limit=5,
        kind=ActorKind.AI,
        purpose=Purpose.OUTREACH,
        by_risk={Risk.NOTIFIED: 3, Risk.EXPLAINED_ONLY: 0},
    )


def test_a_budget_binds_everybody_unless_it_says_whom() -> None:
    text = re.sub(r"(kind|purpose|by_risk) = .*\n", "", GOOD)
    (budget,) = parse_budgets(text.encode(), "quotas.toml")

    assert budget.kind is None
    assert budget.purpose is None
    assert budget.by_risk == {}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"views-hour"', '"Views"', "a budget needs a `name`"),
        ('name = "views-hour"', "", "a budget needs a `name`"),
        ('"views"', '"looks"', "`measure` must be one of views, customers"),
        ('key = "actor"', "", "`key` must be one of agent, actor"),
        ('"hour"', '"day"', "`window` must be one of hour, rolling_24h"),
        ("limit = 5", "limit = 1000001", "`limit` of budget `views-hour` stops nobody"),
        ("limit = 5", "limit = -1", "`limit` of budget `views-hour` must be a whole number"),
        ("limit = 5", "limit = true", "`limit` of budget `views-hour` must be a whole number"),
        ("limit = 5", "limit = 5.5", "`limit` of budget `views-hour` must be a whole number"),
        ("limit = 5", "limits = 5", "unknown key `limits`"),
        ('"ai"', "7", "`kind` must be one of human, ai, service"),
        ('"outreach"', '"fun"', "`purpose` must be one of support_case"),
        ("{ notified = 3, explained_only = 0 }", "3", "`by_risk` of budget `views-hour` must be"),
        ("notified = 3", "angry = 3", "`by_risk` must be one of none, notified"),
        ("notified = 3", "notified = 2000000", "limit `notified` of budget `views-hour` stops"),
        ('"ai"', '"human"', "counts by `actor`, which no `human` has: use `agent`"),
        ('"actor"', '"customer"', "counts `views` by `customer`: by that count one of reveals"),
        ("notified = 3", 'notified = "3"', "limit `notified` of budget `views-hour` must be"),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused_on_its_line(
    old: str, new: str, message: str
) -> None:
    text = "# first\n\n" + GOOD.replace(old, new)

    with pytest.raises(BundleError, match=rf"^quotas\.toml:3: .*{re.escape(message)}"):
        parse_budgets(text.encode(), "quotas.toml")


def test_a_name_that_is_taken_is_refused_where_it_is_taken_again() -> None:
    with pytest.raises(BundleError, match=r"^quotas\.toml:10: budget `views-hour` is there twice"):
        parse_budgets((GOOD + GOOD).encode(), "quotas.toml")


def test_two_budgets_that_differ_in_their_limit_alone_are_refused() -> None:
    twin = GOOD.replace("views-hour", "other").replace("limit = 5", "limit = 6")
    with pytest.raises(
        BundleError, match=r"^quotas\.toml:10: budget `other` binds what `views-hour` binds: keep"
    ):
        parse_budgets((GOOD + twin).encode(), "quotas.toml")


@pytest.mark.parametrize("key", list(BudgetKey))
@pytest.mark.parametrize("measure", list(Measure))
def test_each_measure_is_counted_by_those_who_can_have_it(measure: Measure, key: BudgetKey) -> None:
    customer = {Measure.REVEALS, Measure.VERIFICATIONS, Measure.CONTACTS, Measure.REDACTIONS}
    work_list = {Measure.VIEWS, Measure.CUSTOMERS, Measure.CONTACTS}
    fits = {BudgetKey.CUSTOMER: customer, BudgetKey.WORK_LIST: work_list}.get(key, set(Measure))
    text = GOOD.replace('"views"', f'"{measure}"').replace('"actor"', f'"{key}"').encode()

    if measure in fits:
        assert parse_budgets(text, "quotas.toml")[0].key is key
    else:
        with pytest.raises(BundleError, match=f"counts `{measure}` by `{key}`: by that count one"):
            parse_budgets(text, "quotas.toml")


def test_a_work_list_is_of_outreach_alone() -> None:
    text = GOOD.replace('"actor"', '"work_list"')
    assert parse_budgets(text.encode(), "quotas.toml")[0].purpose is Purpose.OUTREACH
    with pytest.raises(BundleError, match="only `outreach` has, not `fraud_review`"):
        parse_budgets(text.replace('"outreach"', '"fraud_review"').encode(), "quotas.toml")


def test_every_act_has_a_measure() -> None:
    assert set(ACT_OF) == set(Measure) - {Measure.REDACTIONS}
    assert set(ACT_OF.values()) == set(Act)


def test_no_budget_at_all_is_refused() -> None:
    with pytest.raises(BundleError, match=r"^quotas\.toml:1: no budgets"):
        parse_budgets(b"", "quotas.toml")


def test_a_misspelt_table_is_refused() -> None:
    with pytest.raises(BundleError, match=r"unknown key `budgets`"):
        parse_budgets(b"[[budgets]]\n", "quotas.toml")


def test_the_shipped_limits_stop_the_photographer_and_not_the_honest_burst() -> None:
    budgets = {b.name: b for b in parse_budgets(default_files()["quotas.toml"], "quotas.toml")}

    day = budgets["person-customers-day"]
    assert 90 < day.limit < 200
    assert day.window is Window.DAY
    assert budgets["outreach-customers-day"].limit == 250
    assert budgets["ai-customers-day"].limit == 20 * day.limit
    of_who_asks = [b for b in budgets.values() if b.key is not BudgetKey.CUSTOMER]
    assert all(b.by_risk[Risk.EXPLAINED_ONLY] < b.limit for b in of_who_asks)
    assert budgets["customer-verifications-day"].limit < 20  # of ten thousand last four digits
