from dataclasses import replace

import pytest

from guard.entries import StoredEntry
from guard.errors import AccessDeniedError
from guard.log_scope import is_of, is_within, narrowed, scoped
from guard.principals import LogScope
from guard.rows import LogQuery
from policies.model import Role
from tests.support.makers import NOON, TENANT
from tests.support.rig import make_caller

AUDITOR = make_caller("aud", role=Role.AUDITOR, region="")
ALL = LogQuery(tenant=TENANT)
EU = ("eu", "")


def stored(**changes: str | int) -> StoredEntry:
    kept = {"tenant": TENANT, "region": "eu", "vendor": "v1", "team": "t1"} | changes
    return StoredEntry(
        index=0,
        leaf=b"",
        leaf_hash=b"",
        epoch="",
        sealed_event=None,
        refs=(),
        sealed_subjects=(),
        searched=kept,
    )


def test_without_a_limit_or_a_region_one_is_answered_from_the_whole_tenant() -> None:
    assert scoped(AUDITOR, ALL) == (ALL, None)


def test_rows_stay_in_their_region_and_the_others_are_counted() -> None:
    here = replace(AUDITOR, region="eu")
    assert scoped(here, ALL) == (replace(ALL, regions=EU), replace(ALL, not_regions=EU))
    asked = replace(ALL, regions=("us",))
    assert scoped(here, asked) == (None, replace(asked, not_regions=EU))
    own, _ = scoped(here, replace(ALL, regions=("eu",)))
    assert own == replace(ALL, regions=("eu",))
    assert scoped(here, replace(ALL, before=7))[1] is None


@pytest.mark.parametrize("scope", [LogScope.VENDOR, LogScope.TEAM])
def test_a_vendor_or_team_is_answered_from_its_own_part_alone(scope: LogScope) -> None:
    of_own = replace(AUDITOR, log_scope=scope, vendor="v1", team="t1")
    own, elsewhere = scoped(of_own, ALL)
    assert own is not None
    assert (own.vendor, own.team) == (("v1", None) if scope is LogScope.VENDOR else (None, "t1"))
    assert elsewhere is None
    with pytest.raises(AccessDeniedError, match=scope.value):
        scoped(of_own, replace(ALL, vendor="v2", team="t2"))
    with_region = scoped(replace(of_own, region="eu"), ALL)
    assert with_region == (replace(own, regions=EU), replace(own, not_regions=EU))


def test_a_region_is_answered_from_itself_and_told_of_no_other() -> None:
    of_region = replace(AUDITOR, log_scope=LogScope.REGION, region="eu")
    assert scoped(of_region, ALL) == (replace(ALL, regions=("eu",)), None)
    assert scoped(of_region, replace(ALL, regions=("us",))) == (None, None)


@pytest.mark.parametrize("scope", [LogScope.REGION, LogScope.VENDOR, LogScope.TEAM])
def test_a_limit_that_names_nothing_opens_nothing(scope: LogScope) -> None:
    nobody = replace(AUDITOR, log_scope=scope, vendor="", team="")
    with pytest.raises(AccessDeniedError, match="directory"):
        scoped(nobody, ALL)


def test_one_entry_is_held_against_the_same_part() -> None:
    own = LogQuery(tenant=TENANT, regions=EU, vendor="v1", team="t1")
    assert is_within(stored(), own)
    assert is_within(stored(region="us"), ALL)
    for changes in ({"region": "us"}, {"vendor": "v2"}, {"team": "t2"}):
        assert not is_within(stored(**changes), own)
    assert is_of(stored(), TENANT)
    assert not is_of(stored(tenant="other"), TENANT)
    assert not is_of(replace(stored(), searched=None), TENANT)


def test_the_entry_of_a_question_says_what_it_was_narrowed_to() -> None:
    query = replace(ALL, field="contact", is_clear=True, since=NOON, regions=("eu",))
    said = {"field": "contact", "clear": True, "since": NOON, "region": "eu"}
    assert narrowed(query) == said
    assert narrowed(ALL) == {}
