"""Logs without anything personal in them: JSON lines with an allow-list of keys.

A deny-list misses the next field that somebody adds; here a key that is not in `ALLOWED` never
reaches the stream, and is counted as `dropped`. One canonical line per request (`http.request`)
names the route's template, never its path, query, headers or body. An exception is its class and
the place it came from: its message and locals may hold a customer's value.

Lines of other libraries go through the same door. Their text is not ours to trust, so only the name
of the logger, the level and the place are kept; uvicorn's own fixed texts are the exception.
"""

import contextlib
import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import TextIO

import structlog

ALLOWED = frozenset(
    {
        "alerts", "applied", "at", "attempt", "bundle", "bytes", "channel", "count", "deadline_ms",
        "dropped", "entry", "error", "event", "host", "items", "level", "logger", "method", "mode",
        "ms", "n", "name", "origin", "outcome", "pid", "place", "port", "position", "problem",
        "reason_code", "request_id", "root", "route", "rows", "size", "source", "status", "store",
        "version", "worker", "writer",
    }
)  # fmt: skip
# A value longer than this is not one of the short, known words that a log line is made of.
MAX_VALUE = 200
_EVENT = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)+")
_ROOMS = ("api", "detectors", "guard", "policies")
# Its texts are constants; what it interpolates (addresses, paths) is left out.
_FIXED_TEXTS = "uvicorn.error"

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's lines to `stream` (stderr) as JSON.

    Run uvicorn with `log_config=None`, or it puts its own handlers back.
    """
    out = stream if stream is not None else sys.stderr
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            shield,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: _Lines(out),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_Door()]
    root.setLevel(number)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    # Its lines hold paths, and paths hold ids; `http.request` takes its place.
    logging.getLogger("uvicorn.access").disabled = True
    for name in ("alembic", "httpx2", "httpcore2", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)


def shield(
    _logger: object, _method: str, event: MutableMapping[str, object]
) -> Mapping[str, object]:
    """Keep what is allowed, of an exception its class and place; a structlog processor."""
    exc_info = event.pop("exc_info", None)
    kept = {key: _short(value) for key, value in event.items() if key in ALLOWED}
    dropped = len(event) - len(kept)
    name = kept.get("event")
    if not (isinstance(name, str) and _EVENT.fullmatch(name)):
        kept["event"] = "log.unnamed"
    error = _exception(exc_info)
    if error is not None:
        kept |= {"error": type(error).__name__, "place": place_of(error)}
    if dropped:
        kept["dropped"] = dropped
    return kept


def place_of(error: BaseException) -> str:
    """`module:line` where `error` was raised: the innermost frame of our own rooms, or any."""
    found = "unknown"
    frame = error.__traceback__
    ours = False
    while frame is not None:
        module = str(frame.tb_frame.f_globals.get("__name__", "unknown"))
        is_ours = module.partition(".")[0] in _ROOMS
        if is_ours or not ours:
            found, ours = f"{module}:{frame.tb_lineno}", ours or is_ours
        frame = frame.tb_next
    return found


def _exception(exc_info: object) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple) and isinstance(exc_info[1], BaseException):
        return exc_info[1]
    return sys.exc_info()[1] if exc_info else None


def _short(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "…"


class _Lines:
    """Writes lines to a stream; one that cannot be written is lost.

    The disk under the log may be full, or the stream closed by whoever started us: that must
    neither refuse a request nor end a background task, which would otherwise fail while it tells
    of a failure.
    """

    def __init__(self, out: TextIO) -> None:
        self._write = structlog.PrintLogger(out).msg

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._write(line)

    log = debug = info = warning = error = critical = msg


class _Door(logging.Handler):
    """Turns a standard library record into one of our lines."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        fields: dict[str, object] = {"logger": record.name}
        if record.name == _FIXED_TEXTS and isinstance(record.msg, str):
            fields["name"] = record.msg.strip()
        else:
            fields["place"] = f"{record.module}:{record.lineno}"
        if record.exc_info and record.exc_info[1] is not None:
            fields["exc_info"] = record.exc_info[1]
        level = record.levelname.lower()
        log.log(logging.getLevelNamesMapping().get(level.upper(), 20), "library.log", **fields)
