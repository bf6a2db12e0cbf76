"""The one way to a customer record, whatever is done with it.

Every act (view, reveal, list, search, verify, contact) goes through `path`: facts, the policy's
decision, budgets, a fetch of what is needed and no more, and one admission with its entry. Each has
a small module of its own for what is particular to it. A refusal is an entry too; so is a search
that found nobody, and an act that failed after it was permitted.
"""

from guard.broker.door import Broker

__all__ = ["Broker"]
