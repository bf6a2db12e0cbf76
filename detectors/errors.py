"""What can go wrong in the detectors, as one tree.

    DetectorError
    ├── FormatError      a foreign file or line does not follow the access-events format
    │   └── ColumnsError     a foreign table lacks columns, so it is none of ours
    └── StateError       stored detector state, or an outlier model, cannot be used

Messages are lower-case sentences that say what to do next; they name rows and columns and never
hold a value.
"""


class DetectorError(Exception):
    """Base of all expected failures of this room."""


class FormatError(DetectorError):
    """Raised when foreign input breaks the access-events format; `row` is 0-based."""

    def __init__(self, message: str, *, row: int | None = None) -> None:
        """Keep the message, and the row it is about."""
        super().__init__(message)
        self.row = row


class ColumnsError(FormatError):
    """Raised when a whole table lacks columns that it must have."""


class StateError(DetectorError):
    """Raised when stored bytes are of another version, damaged or not sealed by this key."""
