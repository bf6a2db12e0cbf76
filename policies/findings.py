"""What the house rules say of a bundle: one finding is one broken rule, with its place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One broken rule, and where; the message ends in what to do about it."""

    file: str
    line: int
    rule: str
    message: str

    def __str__(self) -> str:
        """Return `file:line: message (rule)`."""
        return f"{self.file}:{self.line}: {self.message} ({self.rule})"
