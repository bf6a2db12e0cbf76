"""Further redactors of free text, for deployments that install the `text` extra.

A redactor gets a text that has been through the patterns already, and can only take more out. The
policy names it (`free_text` with `redactor = "presidio"`), so that the digest of the bundle says
what was shown; where the extra is missing, the service does not start with such a bundle.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import import_module
from typing import Protocol

from guard.masking.scalars import UnmaskableError

# It costs about 4 ms a kilobyte, twenty times our own patterns: a longer text is redacted whole.
MAX_PRESIDIO = 8_192

# Recognisers of fixed form that add to our own patterns. None reads words, so none needs a language
# model; the one for e-mail addresses is left out because it asks the network for a list of domains.
RECOGNIZERS = (
    "CaPostalCodeRecognizer",
    "DeKfzRecognizer",
    "EsNifRecognizer",
    "FiPersonalIdentityCodeRecognizer",
    "InVehicleRegistrationRecognizer",
    "ItFiscalCodeRecognizer",
    "ItIdentityCardRecognizer",
    "MacAddressRecognizer",
    "MedicalLicenseRecognizer",
    "SgFinRecognizer",
    "UkDrivingLicenceRecognizer",
    "UkNinoRecognizer",
    "UkPostcodeRecognizer",
    "UkVehicleRegistrationRecognizer",
    "UuidRecognizer",
)

# Forms without a check digit score low and are taken out too: a plate too many does no harm.
MIN_SCORE = 0.1


class TextRedactor(Protocol):
    """*Protocol* of what takes identifiers out of a text; `free_text` calls it."""

    def redact(self, text: str) -> str:
        """The text without what was found.

        Raises:
            UnmaskableError: The text cannot be searched.
        """
        ...


class Finding(Protocol):
    """*Protocol* of one finding of an analyzer: where it stands, and of what kind it is."""

    entity_type: str
    start: int
    end: int


class Analyzer(Protocol):
    """*Protocol* of Presidio's analyzer, as far as it is used here."""

    def analyze(self, *, text: str, language: str, score_threshold: float) -> Sequence[Finding]:
        """Every finding in `text`, in any order, possibly overlapping."""
        ...


class PresidioRedactor:
    """Findings of Presidio, each replaced by its kind in brackets."""

    def __init__(self, analyzer: Analyzer) -> None:
        """Redact what `analyzer` finds."""
        self._analyzer = analyzer

    def redact(self, text: str) -> str:
        """See `TextRedactor.redact`."""
        if len(text) > MAX_PRESIDIO:
            raise UnmaskableError("too long for this redactor")
        found = self._analyzer.analyze(text=text, language="en", score_threshold=MIN_SCORE)
        return "".join(_without(text, found))


def _without(text: str, found: Sequence[Finding]) -> Iterator[str]:
    at = 0
    for one in sorted(found, key=lambda f: (f.start, -f.end)):
        if one.start >= at:
            yield text[at : one.start] + f"[{one.entity_type.lower().replace('_', ' ')}]"
        at = max(at, one.end)
    yield text[at:]


@lru_cache(maxsize=1)
def open_presidio() -> TextRedactor:
    """The redactor over Presidio, made once: its import takes a second.

    Raises:
        UnmaskableError: The extra is not installed.
    """
    try:
        presidio = import_module("presidio_analyzer")
        engines = import_module("presidio_analyzer.nlp_engine")
        recognizers = import_module("presidio_analyzer.predefined_recognizers")
    except ImportError:
        raise UnmaskableError("`presidio` is not installed: add the `text` extra") from None
    # An engine that knows no words: nothing is downloaded.
    engine = engines.NoOpNlpEngine([{"lang_code": "en", "model_name": "no_op"}])
    engine.load()
    chosen = [getattr(recognizers, name)(supported_language="en") for name in RECOGNIZERS]
    registry = presidio.RecognizerRegistry(recognizers=chosen, supported_languages=["en"])
    return PresidioRedactor(
        presidio.AnalyzerEngine(
            registry=registry,
            nlp_engine=engine,
            supported_languages=["en"],
            log_decision_process=False,
        )
    )
