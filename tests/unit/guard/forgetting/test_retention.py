import pytest

from guard.clock import from_rfc3339
from guard.entries import EntryKind
from guard.errors import ConfigurationError
from guard.forgetting.retention import OUTLIVE, RetentionRules, load_retention, month_before


def test_months_are_read_by_kind_and_what_outlives_them_is_in_no_group() -> None:
    rules = load_retention(b"months = 24\n[kinds]\nview = 36\n", "r.toml")
    groups = rules.groups()
    assert groups[36] == (EntryKind.VIEW,)
    assert EntryKind.SIGN_IN in groups[6]
    assert EntryKind.REFUSAL in groups[24]
    assert OUTLIVE.isdisjoint(kind for kinds in groups.values() for kind in kinds)
    assert 13 in RetentionRules().groups()


@pytest.mark.parametrize(
    "text",
    ["months =", "months = 0", "months = true", "month = 1", "kinds = 3", "[kinds]\nnone = 1",
     "[kinds]\nerasure = 1", "[kinds]\nview = 1201"],
)  # fmt: skip
def test_rules_that_make_no_sense_are_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"r\.toml"):
        load_retention(text.encode(), "r.toml")


def test_a_month_is_counted_back_over_a_year() -> None:
    at = from_rfc3339("2026-02-28T23:59:59Z")
    assert month_before(at, 3) == from_rfc3339("2025-11-01T00:00:00Z")
