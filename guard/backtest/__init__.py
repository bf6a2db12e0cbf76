"""What a policy would have done: the stored facts of every entry, decided again by another bundle.

known    which requests are known to have been bad: what stands behind confirmed alerts
replay   the log read once, in chunks of constant memory, each kind of request decided once
report   what came out, opening with one sentence
service  the same for a caller of the running service
"""

from guard.backtest.replay import Replay
from guard.backtest.report import Report
from guard.backtest.service import Backtests

__all__ = ["Backtests", "Replay", "Report"]
