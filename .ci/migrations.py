"""Walk the migrations up, check them against the tables, down, and up again.

On SQLite always; on PostgreSQL when its binaries or a server are at hand. Through `guard migrate`,
so that the command an operator uses is the one that is tried.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GUARD = Path(sys.executable).parent / "guard"
DATABASE = "recordguard_migrations"
STEPS: tuple[tuple[str, ...], ...] = ((), ("--check",), ("--down",), ())


def walk(data_dir: Path, url: str) -> None:
    """Run every step on one database; raises CalledProcessError at the first that fails."""
    env = {**os.environ, "RECORDGUARD_DATA_DIR": str(data_dir), "RECORDGUARD_DATABASE_URL": url}
    for step in STEPS:
        subprocess.run([GUARD, "migrate", *step], cwd=ROOT, env=env, check=True)  # noqa: S603 - our own command


def main() -> int:
    """Walk SQLite, then PostgreSQL if there is one."""
    with tempfile.TemporaryDirectory() as folder:
        walk(Path(folder), "")
    sys.path.insert(0, str(ROOT))
    from tests.support import postgres  # noqa: PLC0415 - needs the checkout on the path

    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            postgres.shared_server(Path(folder)) as server,
        ):
            server.run(f"CREATE DATABASE {DATABASE}")
            walk(Path(folder), server.database(DATABASE))
            server.run(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    except postgres.NoPostgresError as error:
        print(f"migrations were walked on SQLite only: {error}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
