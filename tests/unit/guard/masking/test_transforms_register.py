import dataclasses
from pathlib import Path

import pytest

import guard.masking.transforms as room
from guard.masking import REGISTRY, Registry
from guard.masking.scalars import UnmaskableError

ROOT = Path(__file__).parents[4]
MODULES = sorted(
    p.stem for p in Path(str(room.__file__)).parent.glob("*.py") if p.stem != "__init__"
)


def test_the_registry_holds_the_transform_of_every_module() -> None:
    assert len(REGISTRY.all()) == len(MODULES)
    assert {t.name for t in REGISTRY.all()} == {
        *("hide", "redact", "keep_last", "email", "phone"),
        *("name", "date_part", "bucket", "pan", "free_text"),
    }


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
