from pathlib import Path

import pytest

from api.outsiders import open_outsiders
from api.settings import Settings
from guard.clock import HOUR
from guard.errors import ConfigurationError
from tests.support.timestamps import TestAuthority
from tests.support.witnesses import NOW, make_signer

LOG, WITNESS = make_signer("example.com/log", 1), make_signer("w.example/1", 2)
GOOD = f"log {LOG.vkey}\nwitness A {WITNESS.cosigner.encode()} https://w.example/1\nquorum A\n"


def settings_of(folder: Path, **changes: object) -> Settings:
    return Settings(data_dir=folder / "data", **changes)  # type: ignore[arg-type] # named settings


def test_without_settings_there_is_nobody(tmp_path: Path) -> None:
    nobody = open_outsiders(settings_of(tmp_path), LOG)
    assert (nobody.cosigner, nobody.anchors, nobody.outages()) == (None, None, {})
    assert (nobody.warnings(NOW), nobody.refusal(NOW)) == ([], "")


@pytest.mark.parametrize("fails_closed", [False, True])
def test_an_outage_is_told_and_refuses_only_where_that_is_set(
    tmp_path: Path,
    fails_closed: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    trust = tmp_path / "trust.txt"
    trust.write_text(GOOD)
    opened = open_outsiders(
        settings_of(tmp_path, trust_file=trust, outage_fails_closed=fails_closed), LOG
    )
    assert opened.cosigner is not None
    assert opened.warnings(NOW) == []
    opened.cosigner.outage.missed(NOW)
    assert len(opened.warnings(NOW + HOUR)) == 1
    assert opened.refusal(NOW + HOUR) == ""
    assert bool(opened.refusal(NOW + 4 * HOUR)) is fails_closed
    opened.cosigner.outage.met()
    assert opened.refusal(NOW + 4 * HOUR) == ""


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        (GOOD.replace(LOG.vkey, make_signer("example.com/log", 9).vkey), "does not name this log"),
        (GOOD.replace(" https://w.example/1", ""), "too few witnesses have an address"),
        (GOOD.replace("https:", "ftp:"), "not an http or https address"),
        ("quorum A\n", "line 1"),
    ],
)
def test_a_policy_that_cannot_be_met_is_refused_at_the_start(
    tmp_path: Path, policy: str, why: str
) -> None:
    trust = tmp_path / "trust.txt"
    trust.write_text(policy)
    with pytest.raises(ConfigurationError, match=why):
        open_outsiders(settings_of(tmp_path, trust_file=trust), LOG)


def test_files_that_are_not_there_name_their_setting(tmp_path: Path) -> None:
    for changes, name in (
        ({"trust_file": tmp_path / "none"}, "TRUST_FILE"),
        ({"tsa_url": "https://tsa.example", "tsa_ca_file": tmp_path / "none"}, "TSA_CA_FILE"),
        ({"tsa_url": "https://tsa.example"}, "TSA_CA_FILE"),
        ({"tsa_url": "tsa.example", "tsa_ca_file": tmp_path / "none"}, "TSA_URL"),
    ):
        with pytest.raises(ConfigurationError, match=name):
            open_outsiders(settings_of(tmp_path, **changes), LOG)


def test_an_authority_is_asked_where_it_is_set(tmp_path: Path) -> None:
    pytest.importorskip("rfc3161_client", reason="the extra `anchors` is not installed")
    roots = tmp_path / "roots.pem"
    roots.write_bytes(TestAuthority(tmp_path / "tsa").roots)
    opened = open_outsiders(
        settings_of(tmp_path, tsa_url="http://127.0.0.1:1/tsa", tsa_ca_file=roots), LOG
    )
    assert list(opened.outages()) == ["anchors"]
