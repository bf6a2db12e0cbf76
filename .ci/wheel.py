"""Build the wheel, install it in a clean environment, and use it there as an operator would.

The environment holds the locked run-time dependencies and the wheel, nothing of the checkout; the
commands run in an empty folder, so that what works here works where only the wheel has gone.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import install

ROOMS = {"api", "detectors", "guard", "policies"}


def build(out: Path, env: dict[str, str]) -> Path:
    """Build the wheel from the checkout with what `.venv` holds."""
    uv = str(Path(sys.executable).parent / "uv")
    command = [uv, "build", "--quiet", "--wheel", "--no-build-isolation", "--out-dir", str(out)]
    install.run([*command, "--python", sys.executable], env=env)
    (wheel,) = out.glob("*.whl")
    return wheel


def check_contents(wheel: Path) -> None:
    """Raise InstallError unless the wheel holds the four rooms and nothing beside them."""
    import zipfile  # noqa: PLC0415 - only here

    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    if tops != ROOMS:
        raise install.InstallError(f"the wheel holds {sorted(tops)}, expected {sorted(ROOMS)}")
    if not any(name.startswith("guard/_migrations/versions/") for name in names):
        raise install.InstallError("the wheel holds no migrations: it could not make its tables")


def use(python: Path, folder: Path) -> None:
    """Ask the installed command for its version, its tables, and the check of an empty log."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("RECORDGUARD_", "PYTHON"))}
    env["RECORDGUARD_DATA_DIR"] = str(folder / "data")
    for words in (["--version"], ["migrate"], ["migrate", "--check"], ["verify"]):
        guard = str(python.parent / "guard")
        subprocess.run([guard, *words], cwd=folder, env=env, check=True)  # noqa: S603 - our own command


def main() -> int:
    """Build, install, use."""
    try:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            env = install.environment(Path(sys.executable))
            wheel = build(folder, env)
            check_contents(wheel)
            uv = str(Path(sys.executable).parent / "uv")
            venv = folder / "venv"
            install.run([uv, "venv", "--quiet", "--python", sys.executable, str(venv)], env=env)
            python = venv / "bin" / "python"
            put = [uv, "pip", "install", "--quiet", "--python", str(python)]
            lock = str(install.ROOT / "requirements.txt")
            install.run([*put, "--require-hashes", "-r", lock], env=env)
            install.run([*put, "--no-deps", str(wheel)], env=env)
            use(python, folder)
    except (install.InstallError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("the wheel installs, migrates and verifies on its own")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
