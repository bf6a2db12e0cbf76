import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from types import ModuleType

import pytest

from guard.masking import catalogue_faults
from guard.masking.redactors import (
    MAX_PRESIDIO,
    RECOGNIZERS,
    Finding,
    PresidioRedactor,
    open_presidio,
)
from guard.masking.scalars import UnmaskableError
from tests.unit.guard.masking.support import catalogue, mask, with_params

MODULES = (
    "presidio_analyzer",
    "presidio_analyzer.nlp_engine",
    "presidio_analyzer.predefined_recognizers",
)
IS_INSTALLED = find_spec("presidio_analyzer") is not None


@dataclass
class Found:
    entity_type: str
    start: int
    end: int


class Scripted:
    """An analyzer that finds a word wherever it stands, and overlaps."""

    def __init__(self, **_: object) -> None:
        self.made_of = _

    def analyze(self, *, text: str, language: str, score_threshold: float) -> Sequence[Finding]:
        assert (language, score_threshold) == ("en", 0.1)
        at = text.find("AB12 CDE")
        if at < 0:
            return []
        return [Found("UK_PLATE", at + 5, at + 8), Found("UK_PLATE", at, at + 8)]


@pytest.fixture
def forgotten() -> Iterator[None]:
    open_presidio.cache_clear()
    yield
    open_presidio.cache_clear()


def test_what_is_found_is_replaced_by_its_kind_and_the_rest_stays() -> None:
    redactor = PresidioRedactor(Scripted())
    assert redactor.redact("car AB12 CDE outside") == "car [uk plate] outside"
    assert redactor.redact("nothing here") == "nothing here"


def test_a_text_that_would_take_too_long_is_refused() -> None:
    with pytest.raises(UnmaskableError):
        PresidioRedactor(Scripted()).redact("x" * (MAX_PRESIDIO + 1))


@pytest.mark.usefixtures("forgotten")
def test_without_the_extra_a_catalogue_that_names_it_is_at_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in MODULES:
        monkeypatch.setitem(sys.modules, name, None)
    rule = with_params("notes", "notes", "free_text", {"redactor": "presidio"})
    assert catalogue_faults(catalogue(rule)) == (
        "field `notes`: `presidio` is not installed: add the `text` extra",
    )


@pytest.mark.usefixtures("forgotten")
def test_it_is_made_of_a_fixed_list_and_an_engine_that_knows_no_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []

    class Engine:
        def __init__(self, models: object) -> None:
            assert models == [{"lang_code": "en", "model_name": "no_op"}]

        def load(self) -> None:
            made.append("engine")

    presidio, engines, recognizers = (ModuleType(name) for name in MODULES)
    vars(presidio).update(RecognizerRegistry=lambda **given: given, AnalyzerEngine=Scripted)
    vars(engines).update(NoOpNlpEngine=Engine)
    for name in RECOGNIZERS:
        vars(recognizers)[name] = lambda name=name, **_: made.append(name)
    for name, module in zip(MODULES, (presidio, engines, recognizers), strict=True):
        monkeypatch.setitem(sys.modules, name, module)

    shown = mask("free_text", redactor="presidio")
    assert shown("Maria a@example.org drives AB12 CDE") == "Maria [email] drives [uk plate]"
    assert made == ["engine", *RECOGNIZERS]
    with pytest.raises(UnmaskableError):
        shown("x " * MAX_PRESIDIO)


if IS_INSTALLED:

    @pytest.mark.usefixtures("forgotten")
    def test_the_real_one_finds_what_the_patterns_leave() -> None:
        shown = str(
            mask("free_text", redactor="presidio")("lives in SW1A 2AA, MAC 00:1A:2B:3C:4D:5E")
        )
        assert "SW1A" not in shown
        assert "3C:4D" not in shown
        assert shown.startswith("lives in [")
