from collections.abc import Mapping
from typing import cast

from guard.backtest.verdicts import NO_FACTS, UNKNOWN_ACT, UNKNOWN_FACTS, Verdicts
from guard.in_force import InForce
from guard.ports import ReadView
from policies.bundle import digest_of, load_bundle
from policies.model import Forbid, Form, Permit, Role
from tests.support.policy_bundles import SMALL_CEDAR, make_facts, small_files

FIELDS = """
[fields]
email = { class = "contact", mask = { transform = "email", local = 1, domain = "mask" } }
birth_date = { class = "identity", mask = "redact" }
"""
MORE = (
    SMALL_CEDAR
    + '@id("m")\n@reason("r")\n@form("mask")\n'
    + ('permit (principal, action == Action::"Show", resource == FieldClass::"identity");\n')
)
BREAKS = SMALL_CEDAR + (
    '@id("broken")\n@reason("r")\nforbid (principal, action == Action::"Show", resource)\n'
    "when { 9223372036854775807 + 1 == 0 };\n"
)
BEFORE, NOW = small_files(fields=FIELDS), small_files(cedar=MORE, fields=FIELDS)
GOOD, ODD = make_facts(), make_facts(role=Role.AUDITOR)


class Kept:
    """Facts and bundles of a store; counts how often it is asked."""

    def __init__(self) -> None:
        early = {k: v for k, v in GOOD.as_dict().items() if k not in {"desk", "tie"}}
        self._facts: dict[str, Mapping[str, str | bool]] = {
            "good": GOOD.as_dict(),
            "odd": ODD.as_dict(),
            "early": early,
            "strange": {**GOOD.as_dict(), "mood": "fine"},
        }
        self._bundles = {
            digest_of(files): files for files in (BEFORE, NOW, small_files(cedar=BREAKS))
        } | {"unloadable": {"a.cedar": b""}}
        self.asked: list[str] = []

    def facts(self, facts_id: str) -> Mapping[str, str | bool] | None:
        self.asked.append(facts_id)
        return self._facts.get(facts_id)

    def bundle(self, digest: str) -> Mapping[str, bytes] | None:
        self.asked.append(digest)
        return self._bundles.get(digest)


def verdicts(files: dict[str, bytes] = NOW) -> tuple[Verdicts, Kept, ReadView]:
    kept = Kept()
    return Verdicts(InForce.of(load_bundle(files))), kept, cast("ReadView", kept)


def test_each_fact_is_read_and_decided_once() -> None:
    said, kept, view = verdicts()
    for _ in range(3):
        assert isinstance(said.of(view, "good", "view"), Permit)
        assert isinstance(said.of(view, "odd", "view"), Forbid)
    assert kept.asked == ["good", "odd"]
    assert said.decided == 2
    said.of(view, "good", "reveal")
    assert kept.asked == ["good", "odd"]
    assert said.decided == 2


def test_what_cannot_be_decided_is_named() -> None:
    said, _, view = verdicts()
    assert said.of(view, "gone", "view") == NO_FACTS
    assert said.of(view, "strange", "view") == UNKNOWN_FACTS
    assert said.of(view, "good", "teleport") == UNKNOWN_ACT
    assert said.decided == 0
    assert said.looks(view, "gone", "view", before=digest_of(BEFORE)).now == {}


def test_facts_of_an_earlier_release_are_completed_and_that_is_said() -> None:
    said, _, view = verdicts()
    assert said.of(view, "early", "view") == said.of(view, "good", "view")
    assert said.assumed == {"early": "desk=front_line, tie=none"}


def test_how_a_class_looks_is_what_its_masks_make_of_the_decision() -> None:
    said, kept, view = verdicts()
    looks = said.looks(view, "good", "view", before=digest_of(BEFORE))
    # Identity is granted masked, and its only mask is a redaction.
    assert looks.now == {"contact": Form.MASK, "identity": Form.REDACT}
    assert looks.before == {"contact": Form.MASK}
    read = list(kept.asked)
    said.looks(view, "good", "view", before=digest_of(BEFORE))
    assert kept.asked == read
    assert said.looks(view, "good", "view", before=digest_of(NOW)).before == looks.now


def test_a_bundle_that_is_lost_or_does_not_load_gives_no_before() -> None:
    said, _, view = verdicts()
    assert said.looks(view, "good", "view", before="lost").before is None
    assert said.looks(view, "good", "view", before="unloadable").before is None


def test_a_policy_that_cannot_be_evaluated_shows_nothing() -> None:
    said, _, view = verdicts(small_files(cedar=BREAKS, fields=FIELDS))
    assert isinstance(said.of(view, "good", "view"), Forbid)
    assert said.looks(view, "good", "view", before=digest_of(BEFORE)).now == {}
