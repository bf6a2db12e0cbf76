"""Loads scripts of `.ci`, which is no package and has no place on the path."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("api", "detectors", "guard", "policies")


def load_script(name: str) -> ModuleType:
    """Import `.ci/<name>.py` under a name of its own."""
    known = sys.modules.get(f"ci_{name}")
    if known is not None:
        return known
    spec = importlib.util.spec_from_file_location(f"ci_{name}", ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up while they are made
    spec.loader.exec_module(module)
    return module
