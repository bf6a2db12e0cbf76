"""Whether everything that was read from a source is in the log, writer by writer.

Each writer numbers its reads (`guard.source_reads`) and its entries name the numbers that they
account for. Every minute in which something was read, and when it ends, the writer logs how many it
has taken and which of them no entry names. `service` writes those counts and raises the alarms,
`tally` lays reads against entries from the log alone.
"""

from guard.reconciliation.service import Reconciliation
from guard.reconciliation.tally import WriterReads, reconcile

__all__ = ["Reconciliation", "WriterReads", "reconcile"]
