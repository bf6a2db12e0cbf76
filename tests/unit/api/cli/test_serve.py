import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from api.cli.serve import listen
from guard.errors import ConfigurationError
from tests.unit.api.cli.conftest import Guard


@pytest.mark.enable_socket
def test_an_address_that_is_taken_is_named() -> None:
    with listen("127.0.0.1", 0) as held:
        port = held.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"127.0.0.1:{port} cannot be used"):
            listen("127.0.0.1", port)


@pytest.mark.enable_socket
def test_the_other_family_is_bound_too() -> None:
    try:
        # Asked of the machine itself, so that a fault of `listen` is no reason to skip.
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with listen("::1", 0) as held:
        assert held.family == socket.AF_INET6


def test_a_service_without_tables_does_not_start(
    guard: Guard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDGUARD_DATA_DIR", str(tmp_path / "new"))
    said = guard("serve", "--host", "127.0.0.1", "--port", "0")
    assert said.code == 78
    assert "guard migrate" in said.err


def test_settings_that_make_no_sense_name_their_variable(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDGUARD_PORT", "many")
    said = guard("serve")
    assert said.code == 78
    assert "RECORDGUARD_PORT" in said.err


def start(data_dir: Path, *words: str, **settings: str) -> "subprocess.Popen[str]":
    env = {**os.environ, "RECORDGUARD_DATA_DIR": str(data_dir), **settings}
    command = [sys.executable, "-m", "api.cli", "serve", "--port", "0", *words]
    return subprocess.Popen(  # noqa: S603 - our own command
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_broken_bundle_is_named_by_file_and_line(data_dir: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "schema.cedarschema").write_text("entity {")
    (bundle / "fields.toml").write_text("")
    (bundle / "quotas.toml").write_text("")
    service = start(data_dir, RECORDGUARD_POLICY_DIR=str(bundle))
    out, err = service.communicate(timeout=60)
    assert service.returncode == 78
    assert "schema.cedarschema:1" in err.splitlines()[-1]
    assert "Traceback" not in err
    assert out == ""


@pytest.mark.enable_socket
def test_a_service_answers_watches_and_leaves_when_asked(data_dir: Path) -> None:
    service = start(data_dir)
    assert service.stdout is not None
    try:
        line = service.stdout.readline()
        assert line.startswith("serving on http://127.0.0.1:")
        url = line.removeprefix("serving on ").strip()
        assert httpx2.get(f"{url}/livez", timeout=30).is_success
        assert httpx2.get(f"{url}/readyz", timeout=30).is_success
    finally:
        service.send_signal(signal.SIGTERM)
        service.communicate(timeout=60)
    assert service.returncode == 0
    assert (data_dir / "worker.db").exists()
