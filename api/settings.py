"""What an operator may set, in one frozen object read once at start.

Every value comes from the environment as `RECORDGUARD_<NAME>`. A secret may come from a file
instead: `RECORDGUARD_<NAME>_FILE` names it, so that a password never stands in a process list.
Nothing else in the service reads the environment.
"""

import ipaddress
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from guard.errors import ConfigurationError

PREFIX = "RECORDGUARD_"
# These may hold a password or the address of a key: each also has a `_FILE` variable.
SECRETS = ("database_url", "kms_uri")
# A secret file holds one line; anything larger is the wrong file.
MAX_SECRET_BYTES = 8192
# Variables of the test suite, which the service does not read.
_FOR_TESTS = (PREFIX + "TEST_", PREFIX + "FULL")

Seconds = Annotated[float, Field(gt=0, le=300)]
# Up to 30 days: an operator may bear much, and must say so.
Outage = Annotated[int, Field(ge=1, le=2_592_000)]


class Settings(BaseSettings):
    """All settings, with their defaults. Made by `load_settings`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - as above
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from `load_settings` only, which knows about `_FILE` and about errors."""
        return (init_settings,)

    data_dir: Path = Field(
        default=Path("data"),
        description="Folder of the ledger, the keyring and the worker's own file.",
    )
    database_url: str = Field(
        default="", description="Database URL; empty: the SQLite file `ledger.db` in `data_dir`."
    )
    kms_uri: str = Field(
        default="",
        description="Where the root key is; empty: `file:<data_dir>/keys/root.key`.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=8080, description="Port to listen on; 0: any free one."
    )
    origin: str = Field(
        default="recordguard.local/log",
        min_length=1,
        description="Name of the log, the first line of every checkpoint.",
    )
    policy_dir: Path | None = Field(
        default=None, description="Folder of the policy bundle; empty: the bundle that ships."
    )
    mapping_file: Path | None = Field(
        default=None, description="TOML file that maps record sources; empty: none."
    )
    secrets_dir: Path | None = Field(
        default=None,
        description="Folder of secrets that the mapping, contacts and sinks files name.",
    )
    contacts_file: Path | None = Field(
        default=None, description="TOML file of the ways to reach customers; empty: none."
    )
    retention_file: Path | None = Field(
        default=None, description="TOML file of how long details live; empty: 13 months."
    )
    sinks_file: Path | None = Field(
        default=None, description="TOML file of the sinks that the log is pushed to; empty: none."
    )
    calling_code: Annotated[str, Field(pattern=r"^([1-9][0-9]{0,2})?$")] = Field(
        default="",
        description="Country of national phone numbers (`34`); empty: they need their country.",
    )
    issuer: str = Field(
        default="urn:recordguard:local", min_length=1, description="`iss` that a token must have."
    )
    audience: str = Field(
        default="recordguard", min_length=1, description="`aud` that a token must have."
    )
    jwks_file: Path | None = Field(
        default=None, description="File with the issuer's public keys (JWKS)."
    )
    jwks_url: str = Field(
        default="", description="Address of the issuer's public keys (JWKS); https, or loopback."
    )
    sample_min_pool: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=20, description="Fewest closed cases that a quality sample is drawn from."
    )
    admit_deadline_s: Seconds = Field(
        default=2.0, description="Seconds until a view that cannot be made durable is answered 503."
    )
    read_deadline_s: Seconds = Field(
        default=2.0, description="Seconds until a read of the store is given up."
    )
    source_deadline_s: Seconds = Field(
        default=2.0, description="Seconds until a record source is given up."
    )
    max_body_bytes: Annotated[int, Field(ge=1024, le=1 << 20)] = Field(
        default=65536, description="Largest request body; a larger one is answered 413."
    )
    checkpoint_interval_s: Seconds = Field(
        default=0.5, description="Seconds between signed checkpoints."
    )
    held_back_notice: str = Field(
        default="",
        max_length=300,
        description="What a customer's history says where rows are held back; empty: nothing.",
    )
    retention_notice: str = Field(
        default="the privacy notice for employees says how long each kind of entry is kept",
        max_length=300,
        description="What one's own history says of how long entries are kept.",
    )
    reconcile_interval_s: Seconds = Field(
        default=60.0, description="Seconds between counts of source reads in the log."
    )
    checkpoint_ml_dsa: bool = Field(
        default=False, description="Sign checkpoints with an ML-DSA-44 key too."
    )
    trust_file: Path | None = Field(
        default=None,
        description="tlog-policy file of the witnesses that must cosign checkpoints; empty: none.",
    )
    witness_outage_s: Outage = Field(
        default=14_400, description="Seconds for which a quorum of witnesses may fail."
    )
    tsa_url: str = Field(
        default="",
        description="Address of an RFC 3161 time-stamping authority; empty: no anchors.",
    )
    tsa_ca_file: Path | None = Field(
        default=None, description="PEM file with the authority's root certificates."
    )
    anchor_interval_s: Annotated[int, Field(ge=1, le=86_400)] = Field(
        default=3600, description="Seconds between anchors of the checkpoint."
    )
    anchor_outage_s: Outage = Field(
        default=14_400, description="Seconds for which the time-stamping authority may fail."
    )
    outage_fails_closed: bool = Field(
        default=False,
        description="Refuse views once witnesses or the authority failed for longer than allowed.",
    )
    public_log: bool = Field(
        default=False, description="Serve `/log/...` (checkpoint, tiles, anchors) to anybody."
    )
    worker: bool = Field(default=True, description="Whether `serve` starts the detection worker.")
    demo: bool = Field(
        default=False,
        description="Accept tokens of the local demo issuer. Loopback addresses only.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is logged."
    )

    @field_validator(
        "policy_dir",
        "mapping_file",
        "secrets_dir",
        "contacts_file",
        "retention_file",
        "jwks_file",
        "sinks_file",
        "trust_file",
        "tsa_ca_file",
        mode="before",
    )
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("jwks_url")
    @classmethod
    def _secure_keys(cls, value: str) -> str:
        address = urlsplit(value)
        is_home = address.scheme == "http" and is_loopback(address.hostname or "")
        if value and not is_home and (address.scheme != "https" or not address.hostname):
            raise ValueError("must be an https address")
        return value

    @field_validator("demo")
    @classmethod
    def _demo_stays_home(cls, value: bool, info: object) -> bool:  # noqa: FBT001 - as pydantic calls it
        host = getattr(info, "data", {}).get("host", "")
        if value and not is_loopback(host):
            raise ValueError(f"works on loopback only: set {PREFIX}HOST to 127.0.0.1")
        return value


def is_loopback(host: str) -> bool:
    """Whether `host` can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from `environ` (the process's own by default).

    Raises:
        ConfigurationError: A value makes no sense, or a variable is unknown; the message names the
            variable, not the value.
    """
    source = os.environ if environ is None else environ
    _refuse_unknown(source)
    given = {
        name: source[PREFIX + name.upper()]
        for name in Settings.model_fields
        if PREFIX + name.upper() in source
    }
    for name in SECRETS:
        variable = PREFIX + name.upper()
        if variable + "_FILE" in source:
            if name in given:
                raise ConfigurationError(f"set {variable} or {variable}_FILE, not both")
            given[name] = _secret(variable + "_FILE", Path(source[variable + "_FILE"]))
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from None


def _refuse_unknown(names: Iterable[str]) -> None:
    """Refuse a misspelt variable: what it was meant to set would silently keep its default."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    known |= {f"{PREFIX}{name.upper()}_FILE" for name in SECRETS}
    ours = {name for name in names if name.startswith(PREFIX) and not name.startswith(_FOR_TESTS)}
    if unknown := sorted(ours - known):
        raise ConfigurationError(
            f"no such setting: {', '.join(unknown)}; docs/reference/settings.md lists them"
        )


def _secret(variable: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
    except OSError as error:
        raise ConfigurationError(f"{variable}: cannot read the file: {error.strerror}") from None
    if len(content) > MAX_SECRET_BYTES:
        raise ConfigurationError(f"{variable}: the file is larger than {MAX_SECRET_BYTES} bytes")
    try:
        return content.decode().strip()
    except UnicodeDecodeError:
        raise ConfigurationError(f"{variable}: the file is not UTF-8 text") from None


def _explain(error: ValidationError) -> str:
    lines = [
        f"{PREFIX}{str(item['loc'][0]).upper() if item['loc'] else ''}: {item['msg']}"
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    ]
    return "; ".join(lines)
