"""Runs `guard serve` where it is expected to refuse, from a process that has imported it already.

A fork of it starts in a tenth of the time that a new interpreter takes; what it runs is the command
from its first line to its exit code.
"""

import multiprocessing
import os
import resource
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection

from api.bootstrap import build
from api.cli import main

PATIENCE_S = 60
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload([__name__, build.__module__])


def refused(env: Mapping[str, str], *, is_read_only: bool = False) -> tuple[int | None, str, str]:
    """Run it to its end; exit code, standard output and standard error."""
    out, theirs_out = FORKS.Pipe(duplex=False)
    err, theirs_err = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=_serve, args=(dict(env), is_read_only, theirs_out, theirs_err))
    process.start()
    theirs_out.close()
    theirs_err.close()
    process.join(PATIENCE_S)
    if process.exitcode is None:
        process.kill()
        process.join()
    said = tuple(_all(end) for end in (out, err))
    return process.exitcode, said[0], said[1]


def _all(end: Connection) -> str:
    with os.fdopen(os.dup(end.fileno()), "rb") as file:
        end.close()
        return file.read().decode()


def _serve(env: dict[str, str], is_read_only: bool, out: Connection, err: Connection) -> None:  # noqa: FBT001 - arguments of a process
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    out.close()
    err.close()
    os.environ.clear()
    os.environ.update(env)
    if is_read_only:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.argv = ["guard", "serve"]
    main()
