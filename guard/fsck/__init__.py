"""The deep check of a store: every table of the log against the others, the files and the keys."""

from guard.fsck.checking import Kept, check_store
from guard.fsck.faults import Fault, FsckReport
from guard.fsck.parts import Explained, NothingForgotten

__all__ = ["Explained", "Fault", "FsckReport", "Kept", "NothingForgotten", "check_store"]
