import pytest

from policies.lint import lint
from tests.support.policy_bundles import (
    SMALL_CEDAR,
    SMALL_FIELDS,
    SMALL_QUOTAS,
    default_files,
    small_files,
)

ADMIT = 'permit (principal, action == Action::"Admit", resource);'


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


@pytest.mark.parametrize("token", ["", "Ask me", "_x"])
def test_an_obligation_that_is_no_token_is_found(token: str) -> None:
    text = f'@id("new") @reason("r") @obligation("{token}") {ADMIT}'
    (finding,) = found(cedar=SMALL_CEDAR + text)

    assert finding.endswith("write it as `ask_reason` (obligation-malformed)")


def test_an_obligation_of_several_words_is_no_finding() -> None:
    text = f'@id("new") @reason("r") @obligation("ask_reason") {ADMIT}'

    assert found(cedar=SMALL_CEDAR + text) == []


def test_a_class_that_no_field_has_is_found() -> None:
    (finding,) = found(
        cedar=SMALL_CEDAR + '@id("new") @reason("r") forbid (principal, action == Action::"Show",'
        ' resource == FieldClass::"secret");'
    )

    assert finding.startswith("small.cedar:9: policy `new` names class `secret`, which no field")


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
