"""The one writer: budgets consumed and entries appended together, many requests to a commit.

A dedicated thread takes whatever is waiting and commits it in one transaction; no timer, so a lone
request waits for nobody and many share one flush to disk. Rules:

* an answer leaves only after its entry is durable; past its deadline the caller is told so, the
  event loop never blocks, and charges that land afterwards are given back by a `REFUND` entry;
* locks are taken in one order: the tree's head, principals by key, budgets by key, subjects by
  reference;
* `writer_seq` has no gap. A commit of unknown outcome is looked up and, if it did not land, done
  again under the same numbers, so it is admitted once. Work given to `run` may therefore be called
  twice; only its last call counts;
* entry times of admissions strictly increase, whatever the clock does.

Whether a request is permitted is decided before it comes here; what a view costs is `guard.quotas`.
"""

from guard.admission.committer import GroupCommitter
from guard.admission.requests import (
    Admission,
    Admitted,
    Answer,
    ReceiptSigner,
    Refused,
    Sealer,
    Stale,
    Suspended,
)

__all__ = [
    "Admission",
    "Admitted",
    "Answer",
    "GroupCommitter",
    "ReceiptSigner",
    "Refused",
    "Sealer",
    "Stale",
    "Suspended",
]
