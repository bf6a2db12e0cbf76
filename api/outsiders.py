"""Who outside vouches for the log: witnesses and a time-stamping authority, as the operator set."""

from dataclasses import dataclass
from pathlib import Path

from api.outside_client import HttpOutsideClient, check_address
from api.places import log_dir, outage_file
from api.settings import Settings
from guard.clock import SECOND, Micros
from guard.errors import ConfigurationError
from guard.ledger.anchors import Anchors, Authority, Stamps
from guard.ledger.cosigning import Cosigner
from guard.ledger.note import NoteSigner
from guard.ledger.outage import OutageWindow
from guard.ledger.proofs import Proofs
from guard.ledger.trust import TrustPolicy, parse_policy
from guard.ports import OutsideClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Outsiders:
    """What was set, and the client that reaches it."""

    client: OutsideClient
    cosigner: Cosigner | None
    anchors: Anchors | None
    fails_closed: bool

    def outages(self) -> dict[str, OutageWindow]:
        """What may be failing, by the label of its metric."""
        found = {"witnesses": self.cosigner, "anchors": self.anchors}
        return {name: one.outage for name, one in found.items() if one is not None}

    def warnings(self, now: Micros) -> list[str]:
        """What an operator must know now."""
        told = [outage.warning(now) for outage in self.outages().values()]
        return [one for one in told if one]

    def refusal(self, now: Micros) -> str:
        """Why nothing may be shown now; "" if it may."""
        if not self.fails_closed:
            return ""
        over = [name for name, outage in self.outages().items() if outage.is_over(now)]
        return f"{' and '.join(over)} failed for longer than is allowed, try later" if over else ""


def open_outsiders(settings: Settings, signer: NoteSigner) -> Outsiders:
    """Read the trust policy and the authority's certificates; nothing is sent yet.

    Raises:
        ConfigurationError: A file or address cannot be used.
    """
    client = HttpOutsideClient()
    return Outsiders(
        client=client,
        cosigner=_cosigner(settings, signer, client),
        anchors=_anchors(settings, client),
        fails_closed=settings.outage_fails_closed,
    )


def _cosigner(settings: Settings, signer: NoteSigner, client: OutsideClient) -> Cosigner | None:
    file = settings.trust_file
    if file is None:
        return None
    policy = parse_policy(_read("RECORDGUARD_TRUST_FILE", file))
    if signer.verifier not in policy.logs:
        raise ConfigurationError(
            f"RECORDGUARD_TRUST_FILE: {file.name} does not name this log: add `log {signer.vkey}`"
        )
    _require_reachable(policy, file.name)
    outage = OutageWindow(
        "quorum of witnesses",
        outage_file(settings, "witnesses"),
        settings.witness_outage_s * SECOND,
    )
    return Cosigner(policy, client, Proofs(log_dir(settings)), outage)


def _require_reachable(policy: TrustPolicy, name: str) -> None:
    for address in policy.addresses.values():
        check_address(address, f"RECORDGUARD_TRUST_FILE: {name}")
    if not policy.is_quorum(policy.addresses):
        raise ConfigurationError(
            f"RECORDGUARD_TRUST_FILE: {name}: too few witnesses have an address for a quorum"
        )


def _anchors(settings: Settings, client: OutsideClient) -> Anchors | None:
    if not settings.tsa_url:
        return None
    check_address(settings.tsa_url, "RECORDGUARD_TSA_URL")
    if settings.tsa_ca_file is None:
        raise ConfigurationError(
            "RECORDGUARD_TSA_CA_FILE: set it too, a time stamp is stored only once it verifies"
        )
    stamps = Stamps(_read("RECORDGUARD_TSA_CA_FILE", settings.tsa_ca_file))
    outage = OutageWindow(
        "time stamp", outage_file(settings, "anchors"), settings.anchor_outage_s * SECOND
    )
    return Anchors(
        log_dir(settings),
        Authority(settings.tsa_url, stamps, client),
        outage,
        interval=settings.anchor_interval_s * SECOND,
    )


def _read(variable: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{variable}: {file}: {error.strerror}") from None
