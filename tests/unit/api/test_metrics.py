from api.metrics import Metrics


def test_each_service_counts_in_a_registry_of_its_own() -> None:
    one, other = Metrics(), Metrics()
    one.views.labels("permitted").inc()
    assert b'recordguard_views_total{outcome="permitted"} 1.0' in one.expose()
    assert b'outcome="permitted"' not in other.expose()


def test_no_label_can_name_anybody() -> None:
    for metric in (
        Metrics().requests,
        Metrics().seconds,
        Metrics().views,
        Metrics().problems,
        Metrics().reviews_overdue,
    ):
        labels = set(metric._labelnames)  # noqa: SLF001 - the library has no public way to ask
        assert labels <= {"route", "method", "status", "outcome", "problem", "what"}
