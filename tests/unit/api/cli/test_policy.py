import json
import shutil
from pathlib import Path

import pytest

from api.cli import policy as module
from api.cli.policy import SHIPPED, all_facts
from policies.model import Purpose
from tests.unit.api.cli.conftest import Guard

TABLE = """
title = "who sees money"
bundle = "default"

[facts]
role = "agent"
desk = "front_line"
actor = "human"
purpose = "support_case"
link = "owner"
tier = "standard"
tie = "none"
risk = "none"
on_shift = true
same_tenant = true
same_region = true
fresh_mfa = false
reason_given = false
customer_present = false

[[case]]
name = "the owner of a case sees the customer"
effect = "{effect}"
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "bundle"))


def test_the_shipped_bundle_has_no_findings(guard: Guard) -> None:
    said = guard("policy", "lint")
    assert (said.code, said.out) == (0, "no findings\n")


def test_a_finding_names_file_and_line(guard: Guard, bundle: Path) -> None:
    (bundle / "quotas.toml").write_text("[[budget]]\nname = 3\n")
    said = guard("policy", "lint", bundle, "--json")
    assert said.code == 1
    (finding,) = json.loads(said.out)["findings"]
    assert finding["file"] == "quotas.toml"
    assert finding["line"] >= 1


def test_a_bundle_that_cannot_be_read_is_a_matter_of_configuration(
    guard: Guard, tmp_path: Path
) -> None:
    said = guard("policy", "lint", tmp_path / "nowhere")
    assert said.code == 78
    assert "cannot be read" in said.err


def test_a_huge_file_is_no_bundle(
    guard: Guard, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_FILE", 10)
    assert guard("policy", "lint", bundle).code == 78


@pytest.mark.parametrize(("effect", "code"), [("permit", 0), ("forbid", 1)])
def test_a_table_is_decided(guard: Guard, tmp_path: Path, effect: str, code: int) -> None:
    table = tmp_path / "money.toml"
    table.write_text(TABLE.format(effect=effect))
    said = guard("policy", "test", table)
    assert said.code == code
    assert f"1 cases, {code} decided otherwise" in said.out


def test_a_table_that_is_not_there_is_named(guard: Guard, tmp_path: Path) -> None:
    said = guard("policy", "test", tmp_path / "none.toml")
    assert said.code == 78
    assert "none.toml" in said.err


def few_facts() -> list[object]:
    return list(all_facts()[:200])


def test_a_change_is_told_by_what_it_opens_and_closes(
    guard: Guard, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "all_facts", few_facts)
    assert guard("policy", "diff", SHIPPED, bundle).out == "no change\n"
    shut = (
        '@id("shut")\n@reason("closed")\nforbid (principal, action == Action::"Admit", resource);'
    )
    (bundle / "shut.cedar").write_text(shut)
    said = guard("policy", "diff", SHIPPED, bundle)
    assert said.code == 1
    assert "closes admit" in said.out
    assert "for example: role=" in said.out
    assert json.loads(guard("policy", "diff", bundle, SHIPPED, "--json").out)["points"]


def test_all_facts_are_different_and_hold_every_purpose() -> None:
    facts = all_facts()
    assert len(set(facts)) == len(facts)
    assert len({f.purpose for f in facts}) == len(Purpose)
