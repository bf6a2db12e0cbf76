"""The only form of a customer's record that leaves the process.

A `MaskedRecord` is made by a plan and by nothing else, and nothing else in the system writes a
record's values as bytes. It is encoded when it is made: a value that has no JSON form is found
before the view is admitted, not after.
"""

import msgspec

from guard.errors import AccessDeniedError

# Held by `guard.masking.plans` alone. A test greps the tree for other users.
_MAKER = object()


class MaskedRecord:
    """A masked record: JSON bytes, and how many of its fields were redacted for a fault."""

    __slots__ = ("_body", "mask_errors")

    _body: bytes
    mask_errors: int

    def __init__(self, maker: object, values: dict[str, object], mask_errors: int) -> None:
        """Encode `values`; only the masking room may.

        Raises:
            AccessDeniedError: The caller is not a mask plan.
        """
        if maker is not _MAKER:
            raise AccessDeniedError("a masked record is made by a mask plan only, call `apply`")
        object.__setattr__(self, "_body", msgspec.json.encode(values))
        object.__setattr__(self, "mask_errors", mask_errors)

    def to_json_bytes(self) -> bytes:
        """The record as a JSON object in UTF-8, fields in the catalogue's order."""
        return self._body

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: what was masked stays as it is."""
        raise AttributeError("a masked record does not change")

    def __delattr__(self, name: str) -> None:
        """Refuse, as `__setattr__`."""
        raise AttributeError("a masked record does not change")

    def __repr__(self) -> str:
        """Show nothing of the record: what may be shown goes out through `to_json_bytes`."""
        return f"MaskedRecord({len(self._body)} bytes, mask_errors={self.mask_errors})"

    def __reduce__(self) -> str:
        """Refuse to be pickled or copied into a queue."""
        raise TypeError("a masked record leaves the process through `to_json_bytes` only")
