"""How long somebody outside may fail us before it matters.

Witnesses and time-stamping authorities are other people's machines: an outage of theirs is borne
for a while, and said loudly. When it began is kept in a file, as a restart must not begin the count
anew.
"""

from pathlib import Path
from threading import Lock

from guard.clock import SECOND, Micros, to_rfc3339
from guard.durable import make_folder, replace_file
from guard.errors import ConfigurationError


class OutageWindow:
    """Counts the time since the first failure that no success has followed."""

    def __init__(self, what: str, path: Path, allowed: Micros) -> None:
        """Allow `allowed` without `what`, as its words name it; remember in the file `path`.

        Raises:
            ConfigurationError: The file is not what was written there.
        """
        self._what, self._path, self.allowed = what, path, allowed
        self._lock = Lock()
        self._since = self._load()

    def _load(self) -> Micros | None:
        try:
            return int(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            raise ConfigurationError(
                f"`{self._path}` holds no time: remove it to begin the count anew"
            ) from None

    def met(self) -> None:
        """It worked."""
        with self._lock:
            if self._since is not None:
                self._path.unlink(missing_ok=True)
                self._since = None

    def missed(self, now: Micros) -> None:
        """It failed at `now`."""
        with self._lock:
            if self._since is None:
                make_folder(self._path.parent)
                replace_file(self._path, b"%d\n" % now)
                self._since = now

    def lasts(self, now: Micros) -> Micros:
        """For how long it has failed; 0 if it works."""
        since = self._since
        return 0 if since is None else max(now - since, 0)

    def is_over(self, now: Micros) -> bool:
        """Whether it has failed for longer than is allowed."""
        return self._since is not None and self.lasts(now) >= self.allowed

    def warning(self, now: Micros) -> str:
        """What an operator is told; "" while it works."""
        since = self._since
        if since is None:
            return ""
        left = max(self.allowed - self.lasts(now), 0) // SECOND
        return f"no {self._what} since {to_rfc3339(since)}, {left} s of the allowed outage are left"
