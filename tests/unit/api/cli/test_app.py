import subprocess
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
import typer

import api
from api.cli.app import MODULES, command
from tests.unit.api.cli.conftest import Guard

ROOT = Path(api.__file__).parent.parent


def test_every_command_says_what_it_does() -> None:
    for name in MODULES:
        made = command(name)
        assert made.help, name
        for inner in getattr(made, "commands", {}).values():
            assert inner.help, f"{name} {inner.name}"


def test_every_command_that_a_module_makes_can_be_called() -> None:
    offered = set[str]()
    for path in sorted((ROOT / "api" / "cli").glob("[a-z]*")):
        module = import_module(f"api.cli.{path.stem}")
        if hasattr(module, "register"):
            made = typer.Typer()
            module.register(made)
            offered |= typer.main.get_group(made).commands.keys()
    assert offered == set(MODULES)


def test_the_commands_of_the_documents_exist() -> None:
    assert {"serve", "migrate", "verify", "demo", "policy", "keys", "token"} <= set(MODULES)


@pytest.mark.parametrize("name", sorted(MODULES))
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


def test_a_command_pays_for_no_other() -> None:
    heavy = "{'fastapi', 'sqlalchemy', 'numpy'}"
    code = f"import sys, api.cli.app; sys.exit(not {heavy}.isdisjoint(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0  # noqa: S603 - our own code
