import json
from pathlib import Path

from tests.support.makers import TENANT
from tests.unit.api.cli.conftest import Fill, Guard
from tests.unit.api.cli.test_log import a_day

WORDS = ("evidence", "--as", "aud", "--tenant", TENANT, "--purpose", "a matter")


def test_a_bundle_is_taken_and_checked_with_the_keys_that_are_printed(
    guard: Guard, fill: Fill, tmp_path: Path
) -> None:
    fill(a_day)
    # The service publishes when it stops; the fixture's own log has another name.
    assert (
        guard(
            "evidence", "--as", "aud", "--tenant", TENANT, "--purpose", " ", "--out", tmp_path / "x"
        ).code
        == 65
    )
    out = tmp_path / "case.zip"
    made = guard(*WORDS, "--out", out, "--range", "0:4")
    if made.code != 0:
        assert "no checkpoint is published yet" in made.err
        made = guard(*WORDS, "--out", out, "--range", "0:4")
    assert made.code == 0, made.err
    line = next(one for one in made.out.splitlines() if "--vkey" in one)
    keys = line.split("'")[1::2]
    asked = [word for key in keys for word in ("--vkey", key)]
    said = json.loads(guard("verify-bundle", out, *asked, "--json").out)
    assert (said["start"], said["end"], said["purpose"]) == (0, 4, "a matter")
    assert "holds" in guard("verify-bundle", out, *asked).out
    policy = tmp_path / "policy"
    policy.write_text(f"log {keys[0]}\nquorum none\n")
    assert guard("verify-bundle", out, "--vkey", keys[1], "--policy", policy).code == 0
    assert guard("verify-bundle", out, "--vkey", keys[1]).code == 1
    assert guard(*WORDS, "--out", out).code == 65


def test_a_question_that_is_none_is_refused(guard: Guard, fill: Fill, tmp_path: Path) -> None:
    fill(a_day)
    out = ("--out", tmp_path / "case.zip")
    assert guard(*WORDS, *out, "--range", "four").code == 65
    assert guard(*WORDS, *out, "--since", "today").code == 65
    nobody = ("evidence", "--as", "nobody", "--tenant", TENANT, "--purpose", "x")
    assert guard(*nobody, *out, "--until", "2026-11-21T18:00:00Z").code == 65
