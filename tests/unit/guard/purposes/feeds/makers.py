"""Payloads of ticket systems, whole and with single parts changed."""

import copy
from typing import Any


def changed(payload: dict[str, Any], /, **places: object) -> dict[str, Any]:
    """A copy with other values at places (`detail__status`); None removes one."""
    made = copy.deepcopy(payload)
    for place, value in places.items():
        *path, last = place.split("__")
        inner = made
        for name in path:
            inner = inner.setdefault(name, {})
        if value is None:
            inner.pop(last, None)
        else:
            inner[last] = value
    return made
