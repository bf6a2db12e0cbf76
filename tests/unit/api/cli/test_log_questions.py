import json
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from api.cli.log_questions import Source, followed, gathered, table
from guard.entries import EntryKind
from policies.model import Role
from tests.support.makers import TENANT
from tests.support.rig import Rig, make_caller, row_of
from tests.unit.api.cli.conftest import Fill, Guard

AS = ("--as", "aud", "--tenant", TENANT)


async def a_day(rig: Rig) -> None:
    agent, auditor = make_caller("a1"), make_caller("aud", role=Role.AUDITOR)
    await rig.directory.put(make_caller("desk"), [row_of(agent), row_of(auditor)])
    for ref in await rig.customers(3):
        await rig.broker.view(agent, rig.asks(ref, await rig.case(ref)))


def entry(index: int, **changes: object) -> dict[str, Any]:
    values = {
        "index": index,
        "at": "2026-11-18T12:00:00.123456Z",
        "kind": "view",
        "agent": "a1",
        "actor": "",
        "customers": ["c1"],
        "purpose": "support_case",
        "link": "owner",
        "outcome": "permitted",
        "classes": {"contact": "mask"},
    }
    return values | changes


def test_the_log_answers_both_ways_and_every_question_is_in_it(guard: Guard, fill: Fill) -> None:
    fill(a_day)
    said = guard("log", "seen-by", "a1", "--reason", "case 7", "--json", *AS)
    assert said.code == 0, said.err
    seen = json.loads(said.out)["entries"]
    assert [one["kind"] for one in seen] == ["view"] * 3
    ref = seen[0]["customers"][0]
    found = json.loads(guard("log", "who-saw", ref, "--json", *AS).out)["entries"]
    assert [one["index"] for one in found] == [seen[0]["index"]]
    assert guard("log", "who-saw", ref, "--clear", "--field", "contact", *AS).out.count("\n") == 1
    asked = guard("log", "tail", "--kind", "audit_query", "--json", *AS)
    kinds = [one["kind"] for one in json.loads(asked.out)["entries"]]
    assert kinds == ["audit_query"] * 4


def test_the_table_names_what_was_seen(guard: Guard, fill: Fill) -> None:
    fill(a_day)
    lines = guard("log", "tail", *AS).out.splitlines()
    assert lines[0].split()[:4] == ["ENTRY", "TIME", "KIND", "AGENT"]
    assert len(lines) == 4
    assert all("contact=mask" in line for line in lines[1:])


def test_one_entry_is_shown_and_proven(guard: Guard, fill: Fill, tmp_path: Path) -> None:
    fill(a_day)
    (one, *_) = json.loads(guard("log", "tail", "--json", *AS).out)["entries"]
    shown = guard("log", "show", str(one["index"]), *AS)
    assert one["entry_id"] in shown.out
    assert json.loads(guard("log", "show", one["entry_id"], "--json", *AS).out) == one
    out = tmp_path / "it.tlog-proof"
    assert guard("log", "proof", str(one["index"]), "--out", out).code == 0
    assert out.read_text().startswith("c2sp.org/tlog-proof@v1")
    again = guard("log", "proof", str(one["index"]), "--out", out)
    assert (again.code, "--out" in again.err) == (65, True)


@pytest.mark.parametrize(
    ("words", "code", "advice"),
    [
        (("who-saw", "c1"), 78, "--as"),
        (("who-saw", "c1", "--agent", "a1", *AS), 65, "reason"),
        (("who-saw", "nobody", *AS), 65, "unknown"),
        (("seen-by", "a1", *AS), 2, "--reason"),
        (("seen-by", "a1", "--reason", "x", "--kind", "no", *AS), 65, "`view`"),
        (("seen-by", "a1", "--reason", "x", "--since", "now", *AS), 65, "RFC 3339"),
        (("tail", "--as", "nobody"), 65, "directory"),
        (("tail", "--as", "a1", "--tenant", TENANT), 77, "auditor"),
        (("tail", "-f", *AS), 78, "--server"),
        (("show", "100000", *AS), 65, "no such entry"),
    ],
)
def test_what_is_wrong_says_what_to_do(
    guard: Guard, fill: Fill, words: tuple[str, ...], code: int, advice: str
) -> None:
    fill(a_day)
    said = guard("log", *words)
    assert (said.code, advice in said.err) == (code, True), said.err


def test_pages_are_followed_to_the_limit_or_the_end() -> None:
    asked: list[Mapping[str, Any]] = []

    def page(question: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(question)
        start = int(question.get("cursor", 9))
        # The second page ended at its bound and holds nothing.
        rows = [] if start == 6 else [entry(n) for n in range(start, start - 3, -1)]
        following = {9: "6", 6: "5", 5: None}[start]
        elsewhere = {"count": 4, "is_exact": True} if start == 9 else None
        return {"entries": rows, "next": following, "elsewhere": elsewhere}

    found, elsewhere = gathered(page, {"kind": ["view"]}, 100)
    assert [one["index"] for one in found] == [9, 8, 7, 5, 4, 3]
    assert elsewhere == {"count": 4, "is_exact": True}
    assert [(q.get("cursor"), q["limit"]) for q in asked] == [(None, 100), ("6", 97), ("5", 97)]
    assert len(gathered(page, {}, 3)[0]) == 3


class Growing(Source):
    """A running service whose log gets longer."""

    def size(self) -> int:
        return next(SIZES)

    def page(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG002 - as it is called
        return ANSWERS.pop(0)


SIZES = count()
ANSWERS: list[Mapping[str, Any]] = []


def test_following_tells_of_what_is_new_and_not_of_its_own_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Our look makes 20 entries out of 19; nobody else wrote before the last one.
    monkeypatch.setattr(f"{__name__}.SIZES", iter([10, 10, 19, 20, 22]))
    ANSWERS[:] = [
        {"entries": [entry(18), entry(17)], "next": "17"},
        {"entries": [entry(12), entry(9)], "next": "9"},
        {"entries": [entry(21)], "next": None},
    ]
    source = Growing(server="https://x", token_file=None, auditor="", tenant="")
    news = followed(source, {}, [entry(9)], lambda: None)
    assert [one["index"] for one in next(news)] == [12, 17, 18]
    assert [one["index"] for one in next(news)] == [21]


def test_a_line_says_who_acted_who_was_erased_and_what_was_refused() -> None:
    rows = [entry(1, actor="bot", customers=[None]), entry(2, outcome="refused", classes={})]
    _, first, second = table(rows)
    assert "a1 via bot" in first
    assert "erased" in first
    assert second.endswith("refused")
    assert EntryKind.VIEW.name.lower() in second
