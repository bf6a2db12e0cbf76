"""Running the service's processes; none of these tests runs a whole service."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from api.cli.demo import service as module
from api.cli.demo.service import HOST, caught_up, child, environment, serving
from api.settings import load_settings
from guard.errors import ConfigurationError, UnavailableError
from guard.store.worker_file import WorkerFile


def test_the_environment_is_the_demos_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDGUARD_DATABASE_URL", "postgresql://production/ledger")
    monkeypatch.setenv("SOMETHING_ELSE", "kept")
    env = environment(tmp_path, 8123)
    settings = load_settings(env)
    assert (settings.database_url, settings.demo) == ("", True)
    assert (settings.data_dir, settings.host, settings.port) == (tmp_path, HOST, 8123)
    assert env["SOMETHING_ELSE"] == "kept"


@pytest.mark.anyio
async def test_a_child_says_what_it_says_into_the_file(tmp_path: Path) -> None:
    log = tmp_path / "log"
    async with child(["--help"], environment(tmp_path, 0), log) as process:
        assert await asyncio.to_thread(process.wait, 60) == 0
    assert "Usage" in log.read_text()


@pytest.mark.anyio
async def test_a_child_ends_with_its_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    born: list[subprocess.Popen[bytes]] = []

    async def work() -> None:
        async with child(["-c", "import signal; signal.pause()"], {}, tmp_path / "log") as process:
            born.append(process)
            raise ZeroDivisionError

    monkeypatch.setattr(sys, "executable", str(stays(tmp_path)))
    with pytest.raises(ZeroDivisionError):
        await work()
    assert born[0].returncode is not None


def stays(folder: Path) -> Path:
    """A program that stays until it is told to leave, whatever it is asked to run."""
    program = folder / "stays"
    program.write_text(f"#!{sys.executable}\nimport signal\nsignal.pause()\n")
    program.chmod(0o755)
    return program


@pytest.mark.anyio
@pytest.mark.enable_socket
async def test_a_service_that_does_not_start_says_its_last_line(tmp_path: Path) -> None:
    env = environment(tmp_path, 0)
    with pytest.raises(ConfigurationError, match="guard migrate"):
        async with serving(env, tmp_path, 1):
            pass


@pytest.mark.anyio
@pytest.mark.enable_socket
async def test_a_service_that_never_answers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(stays(tmp_path)))
    monkeypatch.setattr(module, "READY_S", 0.0)
    with pytest.raises(ConfigurationError, match="does not answer"):
        async with serving({}, tmp_path, 1):
            pass


@pytest.mark.anyio
async def test_a_worker_that_has_read_everything_is_not_waited_for(tmp_path: Path) -> None:
    file = WorkerFile(tmp_path / "worker.db")
    file.commit(5, {}, [])
    await caught_up(file, 5)
    file.close()


@pytest.mark.anyio
async def test_a_worker_that_does_not_read_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READY_S", -1.0)
    file = WorkerFile(tmp_path / "worker.db")
    with pytest.raises(UnavailableError, match=r"worker\.log"):
        await caught_up(file, 5)
    file.close()
