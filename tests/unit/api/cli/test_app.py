import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import typer

import api
from api.cli.app import app, command_names
from tests.unit.api.cli.conftest import Guard

ROOT = Path(api.__file__).parent.parent


def test_every_command_says_what_it_does() -> None:
    group = typer.main.get_group(app)
    for name, command in group.commands.items():
        assert command.help, name
        for inner in getattr(command, "commands", {}).values():
            assert inner.help, f"{name} {inner.name}"


def test_the_commands_of_the_documents_exist() -> None:
    assert {"serve", "migrate", "verify", "demo", "policy", "keys", "token"} <= command_names()


@pytest.mark.parametrize("name", sorted(command_names()))
def test_every_command_has_help(guard: Guard, name: str) -> None:
    assert guard(name, "--help").code == 0


def test_the_version_is_said(guard: Guard) -> None:
    said = guard("--version")
    assert said.code == 0
    assert said.out.startswith("recordguard ")


def test_a_checkout_that_is_not_installed_has_no_version(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(sys.modules["api.cli.app"], "version", missing)
    assert "not installed" in guard("--version").out


def test_help_names_every_exit_code(guard: Guard) -> None:
    text = guard("--help").out
    for code in ("0", "1", "2", "65", "69", "77", "78"):
        assert code in text


def test_an_unknown_command_is_wrong_usage(guard: Guard) -> None:
    assert guard("watch").code == 2


def test_a_command_starts_without_the_web_framework() -> None:
    code = "import sys, api.cli.app; sys.exit('fastapi' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0  # noqa: S603 - our own code
