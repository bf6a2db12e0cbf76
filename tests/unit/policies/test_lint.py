import pytest

from policies.lint import lint
from tests.support.policy_bundles import (
    ACT_QUOTAS,
    SMALL_CEDAR,
    SMALL_FIELDS,
    SMALL_QUOTAS,
    default_files,
    small_files,
)

ADMIT = 'permit (principal == Role::"lead", action == Action::"Admit", resource);'


def found(**changes: str) -> list[str]:
    return [str(finding) for finding in lint(small_files(**changes))]


def test_the_shipped_bundle_has_no_findings() -> None:
    assert lint(default_files()) == ()


def test_a_small_sound_bundle_has_no_findings() -> None:
    assert found() == []


def test_a_bundle_that_does_not_load_has_that_finding_alone() -> None:
    (finding,) = lint(small_files(cedar="permit"))

    assert (finding.file, finding.line, finding.rule) == ("small.cedar", 1, "load")


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ("", "has no `@reason`: say why in a sentence for the person (reason-missing)"),
        ('@reason("") ', "has no `@reason`: say why in a sentence for the person (reason-missing)"),
    ],
)
def test_a_policy_without_a_sentence_is_found(annotations: str, message: str) -> None:
    (finding,) = found(cedar=SMALL_CEDAR + f'@id("new") {annotations}{ADMIT}')

    assert finding == f"small.cedar:9: policy `new` {message}"


def test_an_annotation_that_does_nothing_is_found() -> None:
    (finding,) = found(cedar=SMALL_CEDAR + f'@id("new") @reason("r") @form("mask") {ADMIT}')

    assert finding.startswith("small.cedar:9: `@form` of policy `new` does nothing here")


def test_an_obligation_on_a_forbid_is_found_as_one_that_does_nothing() -> None:
    text = (
        '@id("new") @reason("r") @obligation("notify") forbid (principal, '
        'action == Action::"Admit", resource) when { context.fresh_mfa };'
    )
    (finding,) = found(cedar=SMALL_CEDAR + text)

    assert finding == (
        "small.cedar:9: `@obligation` of policy `new` does nothing on a forbid: remove it "
        "(annotation-unknown)"
    )


@pytest.mark.parametrize("token", ["", "Ask me", "_x", "notify, Ask me"])
def test_an_obligation_that_is_no_token_is_found(token: str) -> None:
    text = f'@id("new") @reason("r") @obligation("{token}") {ADMIT}'
    (finding,) = found(cedar=SMALL_CEDAR + text)

    assert finding.endswith("write it as `ask_reason` (obligation-malformed)")


@pytest.mark.parametrize("tokens", ["ask_reason", "notify, review"])
def test_an_obligation_of_several_words_and_several_obligations_are_no_finding(
    tokens: str,
) -> None:
    text = f'@id("new") @reason("r") @obligation("{tokens}") {ADMIT}'

    assert found(cedar=SMALL_CEDAR + text) == []


def test_a_class_that_no_field_has_is_found() -> None:
    (finding,) = found(
        cedar=SMALL_CEDAR + '@id("new") @reason("r") forbid (principal, action == Action::"Show",'
        ' resource == FieldClass::"secret");'
    )

    assert finding == (
        "small.cedar:9: policy `new` names class `secret`, which no field has: use one of contact "
        "(class-unknown)"
    )


def test_a_class_that_nothing_shows_is_found_at_its_first_field() -> None:
    fields = SMALL_FIELDS + 'pin = { class = "secret", mask = "hide" }\n'
    (finding,) = found(fields=fields)

    assert finding.startswith("fields.toml:3: no permit shows class `secret`")


def test_a_permit_for_all_classes_shows_each() -> None:
    fields = SMALL_FIELDS + 'pin = { class = "secret", mask = "hide" }\n'
    cedar = SMALL_CEDAR.replace('== FieldClass::"contact"', "")

    assert found(fields=fields, cedar=cedar) == []


@pytest.mark.parametrize(
    ("quotas", "expected"),
    [
        (
            SMALL_QUOTAS.replace("100", "0"),
            (
                "quotas.toml:1: budget `customers-day` lets nothing through: forbid it by a "
                "policy, which says why (quota-zero)"
            ),
        ),
        (
            SMALL_QUOTAS + "by_risk = { notified = 5, mask_more = 6 }\n",
            (
                "quotas.toml:1: budget `customers-day` allows more at risk `mask_more` than below "
                "it: lower it (quota-grows)"
            ),
        ),
        (
            SMALL_QUOTAS + "by_risk = { none = 101, notified = 100 }\n",
            (
                "quotas.toml:1: budget `customers-day` allows more at risk `none` than below it: "
                "lower it (quota-grows)"
            ),
        ),
        (
            SMALL_QUOTAS
            + SMALL_QUOTAS.replace("100", "101")
            .replace("-day", "-hour")
            .replace("rolling_24h", "hour"),
            (
                "quotas.toml:7: budget `customers-hour` can never be reached before "
                "`customers-day`: lower or remove it (quota-idle)"
            ),
        ),
    ],
)
def test_a_limit_that_makes_no_sense_is_found(quotas: str, expected: str) -> None:
    assert found(quotas=quotas) == [expected]


def test_an_hour_that_a_budget_for_everybody_always_ends_first_is_found() -> None:
    hour = SMALL_QUOTAS.replace("100", "101").replace("-day", "-hour")
    hour = hour.replace("rolling_24h", "hour") + 'kind = "human"\npurpose = "outreach"\n'

    (finding,) = found(quotas=SMALL_QUOTAS + hour)
    assert finding.endswith("before `customers-day`: lower or remove it (quota-idle)")


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        ('"customers"', '"views"', 24),
        ('"rolling_24h"', '"hour"', 24),
        ("limit = 100", 'limit = 100\nkind = "human"', 16),
        ("limit = 100", 'limit = 100\npurpose = "outreach"', 21),
    ],
)
def test_kinds_and_purposes_that_nothing_limits_by_the_day_are_found(
    old: str, new: str, count: int
) -> None:
    findings = found(quotas=SMALL_QUOTAS.replace(old, new))

    assert len(findings) == count
    assert all(finding.endswith("(quota-missing)") for finding in findings)


def test_an_act_that_nothing_limits_is_found_with_the_budget_to_add() -> None:
    findings = found(acts=ACT_QUOTAS.replace('"searches"', '"reveals"\nkind = "ai"'))

    assert len(findings) == 24
    assert findings[0] == (
        "quotas.toml:1: nothing limits the searches a day of `ai` for `ai_session`: add a budget "
        'with measure = "searches", window = "rolling_24h" (quota-missing)'
    )


def test_tries_that_are_limited_by_customer_alone_leave_who_asks_unlimited() -> None:
    by_customer = ACT_QUOTAS.replace(
        'measure = "contacts"\nkey = "agent"', 'measure = "contacts"\nkey = "customer"'
    )
    findings = found(acts=by_customer)

    assert len(findings) == 24
    assert "nothing limits the contacts a day" in findings[0]


@pytest.mark.parametrize(
    ("extra", "is_bound"),
    [
        ('key = "actor"', True),
        ('key = "agent"\nkind = "human"', True),
        ('key = "actor"\npurpose = "fraud_review"', False),
        ('key = "agent"\nkind = "service"', False),
    ],
)
def test_a_budget_for_somebody_whom_no_policy_admits_is_found(extra: str, is_bound: bool) -> None:  # noqa: FBT001 - a case
    cedar = SMALL_CEDAR.replace("resource);", "resource) unless { WHO };", 1).replace(
        "WHO",
        'context.actor == ActorKind::"service" || '
        '(context.actor == ActorKind::"ai" && context.purpose == Purpose::"fraud_review")',
    )
    text = '[[budget]]\nname = "x"\nmeasure = "views"\nwindow = "hour"\nlimit = 9\n' + extra
    findings = found(cedar=cedar, quotas=SMALL_QUOTAS + text + "\n")

    unbound = (
        "quotas.toml:7: budget `x` binds nobody, since no policy admits `view` for it: remove it "
        "(quota-unbound)"
    )
    assert findings == ([] if is_bound else [unbound])


def test_an_act_that_is_closed_is_found_once_and_not_by_its_budgets_too() -> None:
    text = (
        '@id("new") @reason("r") forbid (principal, action == Action::"Admit", '
        'resource == Request::"list");'
    )
    (finding,) = found(cedar=SMALL_CEDAR + text)

    assert finding.endswith("forbids every `list`: give it a condition (forbids-everything)")


def test_a_policy_that_never_decides_is_found() -> None:
    text = '@id("new") @reason("r") permit (principal == Role::"agent", action == Action::"Admit", '
    (finding,) = found(cedar=SMALL_CEDAR + text + "resource) when { context.fresh_mfa };")

    assert finding == (
        "small.cedar:9: policy `new` never decides anything: `let-in` decides all of it already: "
        "remove or narrow one (policy-unreachable)"
    )


def test_a_condition_on_all_facts_at_once_is_found_alone() -> None:
    text = (
        '@id("new") @reason("r") forbid (principal, action == Action::"Admit", resource) '
        "when { context == context };"
    )
    (finding,) = found(cedar=SMALL_CEDAR + text)

    assert finding == (
        "small.cedar:9: a condition of policy `new` is too wide: it compares the whole context: "
        "compare single facts (condition-too-wide)"
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "fix"),
    [
        ("cedar", '"let-in"', '"show-contact"', "small.cedar:5", "choose another"),
        (
            "cedar",
            "resource);",
            "resource) when { context.lnk };",
            "small.cedar:3",
            "did you mean `link`?",
        ),
        (
            "cedar",
            "resource);",
            'resource) when { context.tier == Tier::"vipp" };',
            "small.cedar:3",
            "did you mean `vip`?",
        ),
        (
            "cedar",
            "resource);",
            "resource) when { context.tier };",
            "small.cedar:1",
            "expected",
        ),
        ("fields", ', mask = "redact"', "", "fields.toml:2", "`redact` if in doubt"),
        ("quotas", "limit = 100", "limit = -5", "quotas.toml:1", "0 or more"),
    ],
)
def test_what_does_not_load_is_found_with_file_line_and_fix(
    file: str, old: str, new: str, place: str, fix: str
) -> None:
    whole = {"cedar": SMALL_CEDAR, "fields": SMALL_FIELDS, "quotas": SMALL_QUOTAS}[file]
    (finding,) = found(**{file: whole.replace(old, new, 1)})

    assert finding.startswith(place + ":")
    assert fix in finding
