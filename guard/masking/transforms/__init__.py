"""The transforms, one module each; a new module with a `TRANSFORM` is registered by being here.

Discovery keeps an addition to one file, its test and its section in `docs/masking.md`.
"""

from importlib import import_module
from pkgutil import iter_modules

from guard.masking.registry import Registry, Transform


def _load(module: str) -> Transform:
    transform: Transform = import_module(f"{__name__}.{module}").TRANSFORM
    return transform


REGISTRY = Registry(_load(found.name) for found in iter_modules(__path__))

__all__ = ["REGISTRY"]
