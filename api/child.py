"""One child process that must be there while its parent is: watched, restarted, stopped.

A child that ends by itself is started again, later each time it does so quickly: a worker that
cannot read one entry must not take the machine with it, and the service answers without it.
"""

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Event, Lock, Thread

import structlog

from guard.clock import monotonic

log = structlog.get_logger(__name__)

# The first wait before a restart, and the longest; a life longer than the longest wait starts over.
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0
# How long a child may take to save and leave before it is killed.
LEAVE_S = 10.0


class Child:
    """Keeps `command` running on a thread of its own until `stop`."""

    def __init__(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        *,
        mono: Callable[[], float] = monotonic,
    ) -> None:
        """Know what to run; nothing runs before `start`."""
        self._command, self._env, self._mono = list(command), dict(env), mono
        self._stopping = Event()
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = Thread(target=self._watch, name="child", daemon=True)
        self.starts = 0

    @classmethod
    @contextmanager
    def beside(
        cls, command: Sequence[str], env: Mapping[str, str], *, wanted: bool = True
    ) -> Iterator["Child | None"]:
        """Run the child for the length of a `with` block, or nothing if it is not `wanted`."""
        if not wanted:
            yield None
            return
        child = cls(command, env)
        child.start()
        try:
            yield child
        finally:
            child.stop()

    @property
    def pid(self) -> int | None:
        """The process id of the child that runs now."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def start(self) -> None:
        """Start the child, and start it again whenever it ends."""
        self._spawn()
        self._thread.start()

    def stop(self) -> None:
        """Ask the child to leave, wait for it, and kill it if it stays."""
        with self._lock:
            self._stopping.set()
            process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            try:
                process.wait(LEAVE_S)
            except subprocess.TimeoutExpired:
                process.kill()
        if self._thread.is_alive():
            self._thread.join(LEAVE_S)

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            self._process = subprocess.Popen(self._command, env=self._env)  # noqa: S603 - our own program
            self.starts += 1
            return self._process

    def _watch(self) -> None:
        wait = FIRST_WAIT_S
        process = self._process
        while process is not None:
            born = self._mono()
            code = process.wait()
            if self._stopping.is_set():
                return
            if self._mono() - born > LONGEST_WAIT_S:
                wait = FIRST_WAIT_S
            log.warning("worker.ended", status=code, attempt=self.starts)
            self._stopping.wait(wait)
            wait = min(2 * wait, LONGEST_WAIT_S)
            process = self._spawn()
