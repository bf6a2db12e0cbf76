from guard.purposes.feeds.registry import ADAPTERS


def test_each_ticket_system_has_a_name() -> None:
    assert sorted(ADAPTERS) == ["salesforce", "servicenow", "zendesk"]
