"""Make `.venv` from a bare Python: the one script that may run before anything is installed.

Standard library only. It creates the environment, brings uv into it with pip, installs the hashed
lock with uv and then this project, editable and without dependencies. Where packages come from is
read from pip's own configuration at run time (files and `PIP_*`) and handed to uv in its
environment, so that one configured index serves both; nothing of it is ever written to a file.
"""

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
# uv answers from the first index that knows a name; pip looks in all of them. The lock's hashes
# say which file is meant, so pip's way is safe here, and is what the configuration was written for.
STRATEGY = "unsafe-best-match"


class InstallError(Exception):
    """Raised with the sentence that tells the reader what to do next."""


def pip_settings(listing: str) -> dict[str, str]:
    """Read `pip config list`: the value per option, `global` < `install` < environment.

    Lines are `section.option='value'`; the environment's section is `:env:`.
    """
    ranks = {"global": 0, "install": 1, ":env:": 2}
    found: dict[str, tuple[int, str]] = {}
    for line in listing.splitlines():
        name, sign, quoted = line.partition("=")
        section, dot, option = name.strip().rpartition(".")
        rank = ranks.get(section)
        if not sign or not dot or rank is None:
            continue
        value = str(ast.literal_eval(quoted.strip()))
        if rank >= found.get(option, (-1, ""))[0]:
            found[option] = (rank, value)
    return {option: value for option, (_, value) in found.items()}


def missing_folder(place: str) -> bool:
    """Whether `place` names a local folder that does not exist."""
    parts = urlsplit(place)
    if parts.scheme == "file":
        return not Path(unquote(parts.path)).exists()
    return parts.scheme == "" and not Path(place).expanduser().exists()


def uv_environment(settings: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Say pip's settings in uv's words.

    Returns:
        The variables for uv, and the local places left out because they do not exist.
    """
    left_out: list[str] = []

    def present(option: str) -> list[str]:
        places = settings.get(option, "").split()
        left_out.extend(place for place in places if missing_folder(place))
        return [place for place in places if not missing_folder(place)]

    extra = present("extra-index-url")
    links = present("find-links")
    names = {
        "UV_DEFAULT_INDEX": " ".join(present("index-url")),
        "UV_INDEX": " ".join(extra),
        "UV_INDEX_STRATEGY": STRATEGY if extra else "",
        "UV_FIND_LINKS": ",".join(links),
        "UV_NO_INDEX": "1" if settings.get("no-index", "").lower() in {"1", "true", "yes"} else "",
        "UV_INSECURE_HOST": settings.get("trusted-host", ""),
        "UV_HTTP_TIMEOUT": settings.get("default-timeout", settings.get("timeout", "")),
        "SSL_CERT_FILE": settings.get("cert", ""),
        "ALL_PROXY": settings.get("proxy", ""),
    }
    return {name: value for name, value in names.items() if value}, left_out


def environment(python: Path) -> dict[str, str]:
    """Collect the environment for uv: the caller's, filled up from pip's configuration."""
    listing = run([str(python), "-m", "pip", "config", "list"], capture=True)
    found, left_out = uv_environment(pip_settings(listing))
    for place in left_out:
        print(f"warning: pip's configuration names {place}, which does not exist: left out")
    return {**found, **os.environ}


def run(command: list[str], *, env: Mapping[str, str] | None = None, capture: bool = False) -> str:
    """Run `command` in the checkout.

    Raises:
        InstallError: It failed.
    """
    stdout = subprocess.PIPE if capture else None
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=stdout, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode != 0:
        raise InstallError(f"`{' '.join(command)}` failed with {done.returncode}, see above")
    return done.stdout or ""


def check_python() -> None:
    """Raise InstallError, naming the package to install, unless this Python can make one."""
    if sys.version_info < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        raise InstallError(f"Python {wanted} or newer is needed; set PYTHON=/path/to/python3")
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise InstallError(
            "this Python cannot make environments; on Debian: apt-get install python3-venv"
        )


def make_venv(venv: Path = VENV) -> Path:
    """Create the environment unless a working one is there; returns its Python."""
    python = venv / "bin" / "python"
    if python.exists():
        probe = subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False)  # noqa: S603 - our own
        if probe.returncode == 0:
            return python
        shutil.rmtree(venv)
    run([sys.executable, "-m", "venv", str(venv)])
    return python


def bring_uv(python: Path) -> Path:
    """Install uv beside `python` with pip unless it is there; returns its path."""
    uv = python.parent / "uv"
    if not uv.exists():
        lock = str(ROOT / ".ci" / "uv.txt")
        run([str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", lock])
    return uv


def main() -> int:
    """Install, or say in one line why not."""
    try:
        check_python()
        python = make_venv()
        uv = str(bring_uv(python))
        env = environment(python)
        install = [uv, "pip", "install", "--python", str(python)]
        run([*install, "--require-hashes", "-r", "requirements-dev.txt"], env=env)
        run([*install, "--no-deps", "--no-build-isolation", "--editable", "."], env=env)
    except InstallError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
