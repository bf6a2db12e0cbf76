import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.architecture.house import ROOT, load_script

install = load_script("install")


def test_the_environment_wins_over_files_and_install_over_global() -> None:
    listing = """
global.index-url='https://a.example/simple'
install.index-url='https://b.example/simple'
global.find-links='one'
:env:.find-links='two'
freeze.timeout='5'
not a setting
"""
    assert install.pip_settings(listing) == {
        "index-url": "https://b.example/simple",
        "find-links": "two",
    }


def test_pip_settings_are_said_in_the_words_of_uv(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    found, left_out = install.uv_environment(
        {
            "index-url": "https://a.example/simple",
            "extra-index-url": f"file://{tmp_path} https://b.example/simple",
            "find-links": f"{tmp_path}/wheels",
            "trusted-host": "a.example",
            "default-timeout": "180",
            "no-index": "0",
        }
    )
    assert left_out == []
    assert found == {
        "UV_DEFAULT_INDEX": "https://a.example/simple",
        "UV_INDEX": f"file://{tmp_path} https://b.example/simple",
        "UV_INDEX_STRATEGY": install.STRATEGY,
        "UV_FIND_LINKS": f"{tmp_path}/wheels",
        "UV_INSECURE_HOST": "a.example",
        "UV_HTTP_TIMEOUT": "180",
    }


def test_a_local_folder_that_is_not_there_is_left_out_and_named(tmp_path: Path) -> None:
    gone = f"file://{tmp_path}/gone"
    found, left_out = install.uv_environment(
        {"extra-index-url": gone, "find-links": f"{tmp_path}/gone"}
    )
    assert found == {}
    assert left_out == [gone, f"{tmp_path}/gone"]


def test_a_python_that_cannot_make_environments_is_told_which_package_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install.importlib.util, "find_spec", lambda _name: None)
    assert install.main() == 1
    assert "apt-get install python3-venv" in capsys.readouterr().err


def test_a_python_that_is_too_old_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "OLDEST", (99, 0))
    assert install.main() == 1
    assert "Python 99.0 or newer" in capsys.readouterr().err


def test_a_command_that_fails_is_named() -> None:
    with pytest.raises(install.InstallError, match="`false` failed with 1"):
        install.run(["false"])


def test_bare_make_prints_the_targets() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607 - the caller's make is what is tried
    for target in ("demo", "test", "check", "prove", "fmt", "bench", "lock", "clean"):
        assert f"make {target} " in done.stdout


def _names(lock: str) -> set[str]:
    return {m.lower().replace("_", "-") for m in re.findall(r"(?m)^([A-Za-z0-9._-]+)==", lock)}


def test_the_locks_hold_every_declared_dependency_with_hashes_and_no_address() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = {re.split(r"[\[<>=]", d)[0] for d in project["project"]["dependencies"]}
    for name in ("requirements.txt", "requirements-dev.txt"):
        lock = (ROOT / name).read_text()
        assert declared <= _names(lock)
        assert "://" not in lock
        assert lock.count("--hash=sha256:") >= len(_names(lock))
    groups = project["dependency-groups"]
    wanted = {re.split(r"[\[<>=]", d)[0] for g in groups.values() for d in g if isinstance(d, str)}
    assert wanted <= _names((ROOT / "requirements-dev.txt").read_text())
    assert (ROOT / ".ci" / "uv.txt").read_text().count("--hash=sha256:") > 1


def test_the_gate_calls_the_targets_and_holds_no_logic_of_its_own() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == ["make check", "make external", "make test"]
