"""What those whose data the log is about may read in it, and answer to it.

A customer reads who looked at their record, without names (`customer`), keeps it as a signed
document (`document`) and may say that a contact was none of theirs (`disputes`). Whoever works here
reads what is logged about them (`own`). While an investigation runs, two people may hold entries
back from both, with a reason and an end (`hold_backs`). The ground for each rule: docs/history.md.
"""

from guard.history.customer import CustomerHistory, HistoryPage
from guard.history.disputes import Disputes
from guard.history.document import (
    HistoryDocument,
    HistoryRow,
    OwnHistoryDocument,
    open_history,
)
from guard.history.hold_backs import HoldBackPut, HoldBacks
from guard.history.own import LookUp, OwnHistories, OwnHistory

__all__ = [
    "CustomerHistory",
    "Disputes",
    "HistoryDocument",
    "HistoryPage",
    "HistoryRow",
    "HoldBackPut",
    "HoldBacks",
    "LookUp",
    "OwnHistories",
    "OwnHistory",
    "OwnHistoryDocument",
    "open_history",
]
