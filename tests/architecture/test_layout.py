import ast
import importlib.util
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest

from tests.architecture.house import ROOMS, ROOT

MAX_LINES = 600


def modules() -> list[Path]:
    found = [p for room in ROOMS for p in (ROOT / room).rglob("*.py")]
    return [p.relative_to(ROOT) for p in found if "__pycache__" not in p.parts]


def test_the_migrations_folder_is_no_package() -> None:
    # An `__init__.py` there would hide the library of the same name.
    assert not (ROOT / "alembic" / "__init__.py").exists()
    assert not (ROOT / "alembic" / "versions" / "__init__.py").exists()


def behaves(module: Path) -> bool:
    """Whether a module does anything: Protocols, plain values and error classes do not."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = (
        [s for s in node.body if not isinstance(s, ast.Expr)]
        for node in ast.walk(ast.parse((ROOT / module).read_text()))
        if isinstance(node, functions)
    )
    return any(bodies)


@pytest.mark.parametrize(
    "module", [m for m in modules() if not m.name.startswith("__") and behaves(m)], ids=str
)
def test_every_module_has_its_test_file(module: Path) -> None:
    # What only commits is tested against both engines, in contracts; everything else as a unit.
    name = f"test_{module.stem.lstrip('_')}.py"
    mirrors = [ROOT / "tests" / kind / module.parent / name for kind in ("unit", "contracts")]
    assert any(mirror.is_file() for mirror in mirrors), f"write {mirrors[0].relative_to(ROOT)}"


@pytest.mark.parametrize("module", modules(), ids=str)
def test_no_module_is_longer_than_one_duty(module: Path) -> None:
    lines = (ROOT / module).read_text().count("\n")
    assert lines <= MAX_LINES, f"{lines} lines: split it"


@pytest.mark.parametrize("module", modules(), ids=str)
def test_every_module_says_what_it_is_responsible_for(module: Path) -> None:
    assert (ROOT / module).read_text().lstrip().startswith(('"""', 'r"""'))


# Found by what is kept: a folder of compiled files appears while another process collects.
TESTS = sorted({path.parent for path in (ROOT / "tests").rglob("*.py")})


@pytest.mark.parametrize("folder", TESTS, ids=str)
def test_every_tests_folder_is_a_package(folder: Path) -> None:
    assert (folder / "__init__.py").is_file()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_found_in_our_tree_and_nowhere_else(room: str) -> None:
    spec = importlib.util.find_spec(room)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).is_relative_to(ROOT)


@pytest.mark.parametrize("room", ROOMS)
def test_no_other_distribution_claims_the_name_of_a_room(room: str) -> None:
    claims = set(packages_distributions().get(room, []))
    assert claims <= {"recordguard"}
    assert room not in {d.metadata["Name"].lower() for d in distributions()}
