import dataclasses
from pathlib import Path

import pytest

import guard.masking.transforms as room
from guard.masking import REGISTRY, Registry, Transform
from guard.masking.scalars import UnmaskableError
from policies.signatures import TRANSFORMS

ROOT = Path(__file__).parents[4]
MODULES = sorted(
    p.stem for p in Path(str(room.__file__)).parent.glob("*.py") if p.stem != "__init__"
)


def test_the_registry_holds_the_transform_of_every_module() -> None:
    assert len(REGISTRY.all()) == len(MODULES)


def test_a_catalogue_may_name_every_transform_and_no_other() -> None:
    assert set(TRANSFORMS) == {t.name for t in REGISTRY.all()}


@pytest.mark.parametrize("transform", REGISTRY.all(), ids=lambda t: t.id)
def test_what_a_catalogue_may_set_the_transform_takes(transform: Transform) -> None:
    for name, allowed in TRANSFORMS[transform.name].params.items():
        values: list[object] = [True] if allowed is bool else ["1"]
        if isinstance(allowed, range):
            values = [allowed[0], allowed[-1]]
        elif isinstance(allowed, tuple):
            values = list(allowed)
        assert all(transform.params[name].accepts(value) for value in values)
    assert transform.params.keys() <= TRANSFORMS[transform.name].params.keys()


@pytest.mark.parametrize("module", MODULES)
def test_every_transform_has_its_test_file(module: str) -> None:
    assert (Path(__file__).parent / "transforms" / f"test_{module}.py").is_file()


@pytest.mark.parametrize("transform", REGISTRY.all(), ids=lambda t: t.id)
def test_every_transform_has_its_section_in_the_documentation(transform: object) -> None:
    identity = getattr(transform, "id", "")
    assert f"### `{identity}`" in (ROOT / "docs" / "masking.md").read_text()


def test_a_second_transform_of_the_same_name_and_version_is_refused() -> None:
    one = REGISTRY.find("redact")
    with pytest.raises(ValueError, match="`redact@1` is there twice"):
        Registry([one, one])


def test_a_name_without_a_version_means_the_newest() -> None:

    one = REGISTRY.find("redact@1")
    two = dataclasses.replace(one, version=2)
    for order in ([one, two], [two, one]):
        registry = Registry(order)
        assert registry.find("redact") is two
        assert registry.find("redact@1") is one
        assert registry.all() == (one, two)


def test_an_unknown_transform_is_refused() -> None:
    with pytest.raises(UnmaskableError, match="no transform `shuffle`"):
        REGISTRY.find("shuffle")
