"""What can be wrong with a bundle, a decision table or stored facts.

    PolicyError
    ├── BundleError         a file of a bundle (or a table) cannot be used: names file and line
    ├── FactsError          a set of facts names an unknown fact or value
    └── WideConditionError  a condition compares too many facts at once to be looked through

The room raises nothing of the guard's: whoever loads a bundle turns these into its own errors.
Refusing a view is no error but an answer, `policies.model.Forbid`.
"""


class PolicyError(Exception):
    """Base of all expected failures of this room."""


class BundleError(PolicyError):
    """Raised when a file cannot be used; `line` counts from 1."""

    def __init__(self, file: str, line: int, message: str) -> None:
        """Keep the place and the sentence apart, for tools that show them apart."""
        super().__init__(file, line, message)
        self.file = file
        self.line = line
        self.message = message

    def __str__(self) -> str:
        """Return `file:line: message`, the form that editors can follow."""
        return f"{self.file}:{self.line}: {self.message}"


class FactsError(PolicyError):
    """Raised when facts are incomplete, or name a fact or a value that does not exist."""


class WideConditionError(PolicyError):
    """Raised when what a condition means cannot be worked out for every combination of facts."""
