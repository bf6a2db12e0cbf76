"""`guard witness`: a witness for the logs of others, with nothing behind it but a folder."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
import uvloop
from filelock import FileLock, Timeout

from api import logs
from api.cli.outcome import Exit, Json, say
from api.cli.serve import listen, on_stop
from guard.errors import ConfigurationError, ProofError
from guard.ledger.checkpoint import log_key
from guard.ledger.key_file import create_key_file, read_key_file
from guard.ledger.note import NoteSigner, VerifierKey
from guard.ledger.witness import Witness, begin_memory

KEY_FILE = "witness.key"
STATE_FILE = "seen.json"

witness = typer.Typer(
    help="Cosign a log's checkpoints as long as each continues the last (C2SP tlog-witness).",
    no_args_is_help=True,
)

State = Annotated[Path, typer.Option(help="Folder of the witness's key and memory.")]


@witness.command()
def keygen(
    *,
    state: State,
    name: Annotated[str, typer.Option(help="Name in cosignatures, such as w.example.org/1.")],
    ml_dsa: Annotated[
        bool, typer.Option("--ml-dsa", help="Cosign with an ML-DSA-44 key too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the witness's key and empty memory; print what logs and verifiers need to know."""
    memory = state / STATE_FILE
    if memory.exists():
        raise ConfigurationError(f"`{memory}` exists: it is another key's, choose another folder")
    # The key first: where there is one, no memory is ever made anew.
    signer = create_key_file(state / KEY_FILE, name, ml_dsa=ml_dsa)
    begin_memory(memory)
    vkeys = _vkeys(signer)
    say({"name": name, "vkeys": vkeys}, [f"witness key {vkey}" for vkey in vkeys], as_json=as_json)


@witness.command(epilog=f"Exit {Exit.CONFIG:d}: cannot start; the line says why.")
def serve(
    *,
    state: State,
    log: Annotated[list[str], typer.Option(help="Verifier key of a log; may be repeated.")],
    listen_on: Annotated[
        str, typer.Option("--listen", help="Address and port; port 0 for any.")
    ] = "127.0.0.1:8090",
    prefix: Annotated[str, typer.Option(help="Path before /add-checkpoint.")] = "",
) -> None:
    """Answer `POST <prefix>/add-checkpoint` until stopped."""
    # Here, so that no other command loads the HTTP side.
    from api.witness import create_witness, server_config  # noqa: PLC0415 - as above

    logs.configure("info")
    host, port = _address(listen_on)
    signer, keys = read_key_file(state / KEY_FILE), _logs(log)
    with _alone(state), listen(host, port) as bound, on_stop(lambda: None):
        app = create_witness(Witness(signer, keys, state / STATE_FILE), prefix=_prefix(prefix))
        print(f"witness key {signer.cosigner.encode()}")
        shown = f"[{host}]" if ":" in host else host
        print(f"witness on http://{shown}:{bound.getsockname()[1]}{prefix}", flush=True)
        uvloop.run(uvicorn.Server(server_config(app)).serve(sockets=[bound]))


def _vkeys(signer: NoteSigner) -> list[str]:
    keys = [signer.cosigner] if signer.second is None else [signer.cosigner, signer.second]
    return [key.encode() for key in keys]


def _logs(vkeys: Sequence[str]) -> dict[str, VerifierKey]:
    keys: dict[str, VerifierKey] = {}
    for vkey in vkeys:
        try:
            key = log_key(vkey)
        except ProofError as error:
            raise ConfigurationError(f"--log: {error}") from None
        if key.name in keys:
            raise ConfigurationError(f"--log: `{key.name}` is there twice, a log has one key here")
        keys[key.name] = key
    return keys


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdecimal() or int(port) > 0xFFFF:  # noqa: PLR2004 - ports
        raise ConfigurationError(f"--listen: `{text}` is not address:port")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _prefix(text: str) -> str:
    if text and (not text.startswith("/") or text.endswith("/")):
        raise ConfigurationError("--prefix begins with a slash and does not end with one")
    return text


@contextmanager
def _alone(state: Path) -> Iterator[None]:
    """Hold the folder: two witnesses with one key could cosign two histories."""
    lock = FileLock(state / "lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise ConfigurationError(
            f"another witness runs in `{state}`: give each a folder and a key of its own"
        ) from None
    try:
        yield
    finally:
        lock.release()


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(witness, name="witness")
