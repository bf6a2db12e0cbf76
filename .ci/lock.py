"""Renew the hashed locks: what the service needs, what development needs, and uv itself.

No address of any index is written: `uv pip compile` leaves them out, and this checks it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import install

UV_RANGE = "uv>=0.13,<0.14"
# A release younger than this may still be withdrawn, or be found to be somebody else's.
YOUNGEST = "P7D"


def compile_lock(arguments: list[str], out: Path) -> None:
    """Resolve into `out`.

    Raises:
        InstallError: It could not be resolved, or the lock names an address.
    """
    python = install.PYTHON
    command = [str(python.parent / "uv"), "pip", "compile", "--quiet", "--universal"]
    command += ["--generate-hashes", "--no-header", "--upgrade", "--exclude-newer", YOUNGEST]
    command += ["--python-version", "3.11", *arguments, "--output-file", str(out)]
    install.run(command, env=install.environment(python))
    if "://" in out.read_text():
        raise install.InstallError(f"{out.name} names an address, which must not be committed")


def main() -> int:
    """Renew all three locks."""
    try:
        compile_lock(["pyproject.toml"], install.ROOT / "requirements.txt")
        compile_lock(["pyproject.toml", "--group", "dev"], install.ROOT / "requirements-dev.txt")
        with tempfile.TemporaryDirectory() as folder:
            wanted = Path(folder) / "uv.in"
            wanted.write_text(UV_RANGE + "\n")
            compile_lock([str(wanted), "--no-annotate"], install.ROOT / ".ci" / "uv.txt")
    except (install.InstallError, subprocess.SubprocessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
