"""How a command ends: its exit code, its one line of error, its output in words or in JSON."""

import json
import os
import sys
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from typing import Annotated, Any, TypeVar

import anyio
import typer

from detectors.errors import ColumnsError, DetectorError
from guard.errors import (
    AccessDeniedError,
    ConfigurationError,
    GuardError,
    LedgerError,
    UnavailableError,
)
from policies.errors import BundleError, PolicyError

T = TypeVar("T")


class Exit(IntEnum):
    """Exit codes of `guard`. From 65 on they are those of sysexits.h."""

    OK = 0
    FOUND = 1
    USAGE = 2
    DATA = 65
    UNAVAILABLE = 69
    DENIED = 77
    CONFIG = 78


_CODES: tuple[tuple[type[Exception], Exit], ...] = (
    (ConfigurationError, Exit.CONFIG),
    (BundleError, Exit.CONFIG),
    (LedgerError, Exit.FOUND),
    (UnavailableError, Exit.UNAVAILABLE),
    (AccessDeniedError, Exit.DENIED),
    (ColumnsError, Exit.FOUND),
    (GuardError, Exit.DATA),
    (PolicyError, Exit.DATA),
    (DetectorError, Exit.DATA),
    # A file or folder that the command was pointed at.
    (OSError, Exit.CONFIG),
)
# Every failure that a room expects; anything else is a fault of ours and keeps its traceback.
EXPECTED = (GuardError, PolicyError, DetectorError, OSError)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def exit_code(error: Exception) -> Exit:
    """The exit code of an expected failure."""
    return next(code for kind, code in _CODES if isinstance(error, kind))


def say(document: Mapping[str, object], lines: Iterable[str], *, as_json: bool) -> None:
    """Print `document` as JSON, or `lines`."""
    if as_json:
        print(json.dumps(document, indent=2, default=str))
    else:
        for line in lines:
            print(line)


def run_async(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `work` to its end; one failure inside a task group is raised as itself."""
    try:
        return anyio.run(work)
    except ExceptionGroup as group:
        expected, rest = group.split(EXPECTED)
        if expected is None or rest is not None:
            raise
        raise _first(expected) from group


def _first(group: ExceptionGroup[Exception]) -> Exception:
    inner = group.exceptions[0]
    return _first(inner) if isinstance(inner, ExceptionGroup) else inner


def _words(error: Exception) -> str:
    """Of the system's own errors the path and the words, without number and class."""
    if not isinstance(error, OSError):
        return str(error)
    said = error.strerror or str(error) or type(error).__name__
    return said if error.filename is None else f"{os.fsdecode(error.filename)}: {said}"


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Make an expected failure one line on the standard error and an exit code, no traceback."""
    try:
        yield
    except EXPECTED as error:
        print(f"error: {_words(error)}", file=sys.stderr)
        raise SystemExit(int(exit_code(error))) from None
