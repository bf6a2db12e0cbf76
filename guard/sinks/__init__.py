"""Live push to a SIEM: what the log gains is sent on, in its order, at least once.

A sink is declared by the operator, keeps its position in the log in the store, and is pushed beside
the requests: nothing that it does or fails to do is waited for by anybody who asks for a record.
"""

from guard.sinks.declaring import DeclaredSink, declared_sinks
from guard.sinks.pushing import Pushed, Pusher
from guard.sinks.sink import Event, Sink

__all__ = ["DeclaredSink", "Event", "Pushed", "Pusher", "Sink", "declared_sinks"]
