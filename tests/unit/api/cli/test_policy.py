import json
import shutil
from pathlib import Path

import pytest

from api.cli import policy as module
from api.cli.policy import SHIPPED
from policies.bundle import load_bundle
from tests.support.policy_bundles import default_files
from tests.support.rig import Rig, make_caller, row_of
from tests.unit.api.cli.conftest import Fill, Guard

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


def test_without_paths_the_tables_of_the_bundle_are_decided(guard: Guard, bundle: Path) -> None:
    assert guard("policy", "test").code == 0
    said = guard("policy", "test", "--bundle", bundle, "--json")
    assert json.loads(said.out)["cases"] > 5
    shut = '@id("shut") @reason("r") forbid (principal, action == Action::"Admit", resource);'
    (bundle / "shut.cedar").write_text(shut)
    assert guard("policy", "test", "--bundle", bundle).code == 1


def test_a_bundle_without_tables_says_where_to_put_them(guard: Guard, bundle: Path) -> None:
    shutil.rmtree(bundle / "tables")
    said = guard("policy", "test", "--bundle", bundle)
    assert said.code == 78
    (bundle / "tables").mkdir()
    said = guard("policy", "test", "--bundle", bundle)
    assert said.code == 78
    assert "put them into `tables`" in said.err


def test_a_change_is_told_by_cell(guard: Guard, bundle: Path) -> None:
    assert guard("policy", "diff", SHIPPED, bundle).out == "no change\n"
    text = (
        '@id("new") @reason("r") @form("redact") permit (principal, action == Action::"Show", '
        'resource == FieldClass::"contact") when { context.desk == Desk::"outreach" };'
        '@id("shut") @reason("r") forbid (principal, action == Action::"Admit", '
        'resource == Request::"search") when { context.role == Role::"manager" };'
    )
    (bundle / "zz.cedar").write_text(text)
    said = guard("policy", "diff", SHIPPED, bundle)
    assert said.code == 1
    lines = [line for line in said.out.splitlines() if "quality_review" in line]
    (row,) = [line for line in lines if "mask -> redact" in line]
    assert row.startswith("agent, lead, manager")
    assert row.split()[3:6] == ["outreach", "quality_review", "view"]
    words = " ".join(row.split())
    assert "sets of facts each e.g. desk=outreach purpose=quality_review link=qa" in words
    assert "search admitted" in said.out
    cells = json.loads(guard("policy", "diff", bundle, SHIPPED, "--json").out)["cells"]
    assert {(c["before"], c["after"]) for c in cells} == {("redact", "mask"), ("no", "yes")}
    assert all(c["facts"] > 0 and c["example"]["role"] == c["role"] for c in cells)


def test_a_request_is_explained_in_the_policies_own_words(guard: Guard) -> None:
    said = guard("policy", "explain", "tie=family")
    assert said.code == 0
    assert said.out.splitlines()[0] == "view is refused"
    assert "family-record (refuse.cedar:" in said.out
    assert "ask your lead to pass the case on" in said.out
    assert "would have to be" not in said.out
    said = guard("policy", "explain", "on_shift=false", "--class", "contact", "--close")
    assert said.out.startswith("view goes on: contact mask\n  to do: notify\nfacts: on_shift=false")
    assert "on_shift would have to be true, it is false" in said.out
    assert "facts: all as usual" in guard("policy", "explain").out


def test_an_explanation_is_one_document_with_json(guard: Guard) -> None:
    words = ("policy", "explain", "--json", "reason_given=true")
    permit = json.loads(guard(*words, "--act", "reveal", "--close").out)
    assert (permit["effect"], permit["act"]) == ("permit", "reveal")
    assert permit["forms"]["contact"] == "plain"
    assert permit["facts"]["reason_given"] is True
    assert {row["id"] for row in permit["decided"]} >= {"support-desk", "reveal-contact"}
    assert all(row["missing"] for row in permit["close"])
    refusal = json.loads(guard(*words, "role=auditor").out)
    assert (refusal["effect"], refusal["decided"], refusal["close"]) == ("forbid", [], [])
    assert refusal["reasons"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("link=cousin",), "fact `link` must be one of owner"),
        (("on_shift=perhaps",), "fact `on_shift` must be true or false"),
        (("mood=good",), "unknown fact `mood`"),
        (("--class", "mood"), "no field has that class: use address, contact"),
        (("link=none", "--entry", "3"), "give facts or `--entry`, not both"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    guard: Guard, words: tuple[str, ...], message: str
) -> None:
    said = guard("policy", "explain", *words)
    assert said.code == 65
    assert message in said.err


async def a_view_and_a_refusal(rig: Rig) -> None:
    agent = make_caller("a1")
    await rig.directory.put(make_caller("desk"), [row_of(agent)])
    digest = load_bundle(default_files()).digest
    await rig.committer.run(lambda tx: tx.rows.put_bundle(digest, default_files()))
    (ref,) = await rig.customers(1)
    await rig.broker.view(agent, rig.asks(ref, await rig.case(ref)))
    await rig.broker.view(agent, rig.asks(ref, None, purpose="outreach"))


def test_an_entry_is_explained_by_the_facts_and_the_bundle_that_decided_it(
    guard: Guard, fill: Fill
) -> None:
    fill(a_view_and_a_refusal)
    size = json.loads(guard("verify", "--json").out)["size"]
    found = {}
    for index in range(size):
        said = guard("policy", "explain", "--entry", index, "--json")
        if said.code == 0:
            document = json.loads(said.out)
            found[document["effect"]] = {row["id"] for row in document["decided"]}
        else:
            assert said.code == 65
            assert "no policy decided that entry" in said.err
    assert "support-explained" in found["permit"]
    assert found["forbid"] == {"outreach-needs-list"}
    for index in (size, -1):
        assert "no entry of that index" in guard("policy", "explain", "--entry", index).err
