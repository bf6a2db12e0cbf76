"""Counters of the service, in a registry of their own.

Labels are closed sets only: route templates, methods, status codes, outcomes, the names of the
operator's sinks. Never a tenant, an agent, a customer or anything else that somebody sent.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Seconds. A view should stay in the first three; the last is beyond every deadline.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
UNMATCHED = "unmatched"


class Metrics:
    """All metrics; other parts of the service may add their own to `registry`."""

    def __init__(self) -> None:
        """Start every counter at nothing."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "recordguard_http_requests",
            "Requests answered, by route template, method and status.",
            ("route", "method", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "recordguard_http_request_seconds",
            "Seconds from the first byte of a request to the last byte of its answer.",
            ("route",),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "recordguard_http_in_flight",
            "Requests being answered right now.",
            registry=self.registry,
        )
        self.views = Counter(
            "recordguard_views",
            "View requests by outcome: permitted, or the code of the refusal.",
            ("outcome",),
            registry=self.registry,
        )
        self.acts = Counter(
            "recordguard_acts",
            "Acts on records by kind and outcome: permitted, failed, or the code of the refusal.",
            ("act", "outcome"),
            registry=self.registry,
        )
        self.reviews_overdue = Gauge(
            "recordguard_reviews_overdue",
            "Reviews that are overdue, of what one person did alone, by what it was.",
            ("what",),
            registry=self.registry,
        )
        self.reads_unaccounted = Gauge(
            "recordguard_source_reads_unaccounted",
            "Reads of record sources by this process that no entry of the log accounts for.",
            registry=self.registry,
        )
        self.pending_entries = Gauge(
            "recordguard_log_pending",
            "Entries that are durable and have no place in the tree yet; at most so many.",
            registry=self.registry,
        )
        self.pending_seconds = Gauge(
            "recordguard_log_pending_seconds",
            "Age of the oldest of them.",
            registry=self.registry,
        )
        self.gaps = Counter(
            "recordguard_log_gaps",
            "Gaps in a writer's numbers: somebody has deleted entries before they had a place.",
            registry=self.registry,
        )
        self.sink_behind = Gauge(
            "recordguard_sink_behind_entries",
            "Entries of the log that a sink has not taken yet, by the operator's name of the sink.",
            ("sink",),
            registry=self.registry,
        )
        self.sink_failures = Gauge(
            "recordguard_sink_failures",
            "Deliveries to a sink that failed in a row, by the operator's name of the sink.",
            ("sink",),
            registry=self.registry,
        )
        self.outage_seconds = Gauge(
            "recordguard_outage_seconds",
            "For how long outsiders fail who vouch for the log: witnesses, anchors.",
            ("what",),
            registry=self.registry,
        )
        self.problems = Counter(
            "recordguard_problems",
            "Problem documents sent, by the last part of their type.",
            ("problem",),
            registry=self.registry,
        )
        self.unhandled = Counter(
            "recordguard_unhandled_errors",
            "Errors that no rule expected; each is a defect and is logged.",
            registry=self.registry,
        )
        self.sign_ins = Counter(
            "recordguard_sign_ins",
            "Console sign-ins by outcome: accepted or refused.",
            ("outcome",),
            registry=self.registry,
        )

    def expose(self) -> bytes:
        """Render all metrics in the Prometheus text format."""
        return generate_latest(self.registry)
