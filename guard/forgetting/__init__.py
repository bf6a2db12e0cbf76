"""Forgetting: one customer for good, details that have run out, and what a hold keeps from both.

The tree is never changed. What is forgotten is the detail beside it: keys are destroyed, parts are
cut down to the hashes that the commitments are checked from, and an entry says that it was done.
"""

from guard.forgetting.erasures import Erasures
from guard.forgetting.explained import Forgotten
from guard.forgetting.grounds import ErasureGround, HoldGround
from guard.forgetting.holds import HoldPut, Holds
from guard.forgetting.restoring import Restored, Restoring
from guard.forgetting.retention import Retention, RetentionRules, load_retention
from guard.forgetting.shredding import Shredding

__all__ = [
    "ErasureGround",
    "Erasures",
    "Forgotten",
    "HoldGround",
    "HoldPut",
    "Holds",
    "Restored",
    "Restoring",
    "Retention",
    "RetentionRules",
    "Shredding",
    "load_retention",
]
