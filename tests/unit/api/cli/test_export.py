import hashlib
import io
import json
from pathlib import Path

import pytest

from guard.exports.raw_blocks import check_blocks, parse_blocks
from policies.model import Role
from tests.support.makers import TENANT
from tests.support.rig import Rig, make_caller, row_of
from tests.unit.api.cli.conftest import Fill, Guard
from tests.unit.guard.exports.reading import READERS


async def a_day(rig: Rig) -> None:
    agent, auditor = make_caller("a1"), make_caller("aud", role=Role.AUDITOR)
    await rig.directory.put(make_caller("desk"), [row_of(agent), row_of(auditor)])
    for ref in await rig.customers(3):
        await rig.broker.view(agent, rig.asks(ref, await rig.case(ref)))


WORDS = ("--as", "aud", "--tenant", TENANT)


def test_the_log_is_taken_out_in_an_auditors_name(guard: Guard, fill: Fill, tmp_path: Path) -> None:
    fill(a_day)
    out = tmp_path / "log.ndjson"
    words = ("export", *WORDS, "--since", "2020-01-01T00:00:00Z")
    said = guard(*words, "--out", out)
    assert said.code == 0, said.err
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(lines) > 3
    assert guard(*words, "--out", out).code == 65


def test_nobody_exports_who_is_not_known_or_may_not(guard: Guard, fill: Fill) -> None:
    fill(a_day)
    assert guard("export", "--as", "nobody", "--tenant", TENANT).code == 65
    assert guard("export", "--as", "a1", "--tenant", TENANT).code == 77
    assert guard("export", *WORDS, "--since", "today").code == 65
    assert guard("export", "xlsx", *WORDS).code == 2


@pytest.mark.parametrize("fmt", ["csv", "ocsf", "ecs", "cef", "syslog", "cloudevents"])
def test_every_format_can_be_asked_for_by_its_name(
    guard: Guard, fill: Fill, tmp_path: Path, fmt: str
) -> None:
    fill(a_day)
    out = tmp_path / "log"
    said = guard("export", fmt, *WORDS, "--out", out)
    assert said.code == 0, said.err
    readers = {one.value: reader for one, reader in READERS.items()}
    assert len(readers[fmt](out.read_bytes())) > 2
    manifest = (tmp_path / "log.manifest").read_text()
    assert hashlib.sha256(out.read_bytes()).hexdigest() in manifest
    assert not (tmp_path / "log.part").exists()


def test_what_breaks_off_is_gone_on_with(guard: Guard, fill: Fill, tmp_path: Path) -> None:
    fill(a_day)
    out, part, job = (tmp_path / name for name in ("log", "log.part", "log.part.job"))
    assert guard("export", "ndjson", *WORDS, "--out", out).code == 0
    whole = out.read_bytes()
    document = json.loads((tmp_path / "log.manifest").read_text().splitlines()[1])
    # As if the line had broken in the middle of the only chunk.
    out.unlink()
    part.write_bytes(whole[:100])
    assert guard("export", "ndjson", *WORDS, "--out", out).code == 65
    job.write_text(json.dumps({"job": document["job"]}))
    said = guard("export", "ndjson", *WORDS, "--out", out, "--resume")
    assert said.code == 0, said.err
    assert out.read_bytes() == whole
    assert not part.exists()
    assert not job.exists()


def test_a_file_is_narrowed_as_over_http(guard: Guard, fill: Fill, tmp_path: Path) -> None:
    fill(a_day)
    narrow = ("--kinds", "view,refusal", "--purpose", "support_case", "--vendor", "vend")
    more = ("--team", "team-1", "--link", "owner", "--clear")
    assert guard("export", *WORDS, *narrow, *more, "--out", tmp_path / "log").code == 0
    told = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert {(one["kind"], one["vendor"], one["team"]) for one in told} == {
        ("view", "vend", "team-1")
    }
    for n, other in enumerate((("--vendor", "x"), ("--team", "x"), ("--purpose", "x"))):
        assert guard("export", *WORDS, *other, "--out", tmp_path / f"{n}").code == 0
        assert (tmp_path / f"{n}").read_bytes() == b""
    assert guard("export", *WORDS, "--field", "nonsense", "--out", tmp_path / "none").code == 0
    assert (tmp_path / "none").read_bytes() == b""
    assert guard("export", *WORDS, "--kinds", "glance").code == 65


def test_there_must_be_something_to_go_on_with(guard: Guard, fill: Fill, tmp_path: Path) -> None:
    fill(a_day)
    assert guard("export", *WORDS, "--resume").code == 65
    assert guard("export", *WORDS, "--resume", "--out", tmp_path / "none").code == 65


def test_a_file_for_somebody_outside_says_why(guard: Guard, fill: Fill, tmp_path: Path) -> None:
    fill(a_day)
    words = ("export", *WORDS, "--recipient", "an auditing firm", "--out", tmp_path / "log")
    assert guard(*words).code == 65
    assert guard(*words, "--why", "the audit of this year").code == 0
    assert "the audit of this year" in (tmp_path / "log.manifest").read_text()


def test_a_mirror_gets_the_log_as_it_is_kept(guard: Guard, fill: Fill, tmp_path: Path) -> None:
    fill(a_day)
    out = tmp_path / "log.raw"
    assert guard("export", "raw", *WORDS, "--out", out).code == 0
    tree = check_blocks(parse_blocks(io.BytesIO(out.read_bytes())))
    assert tree.size > 8


def test_without_a_file_it_goes_to_the_standard_output(guard: Guard, fill: Fill) -> None:
    fill(a_day)
    assert '"entry_id"' in guard("export", "ndjson", *WORDS).out
