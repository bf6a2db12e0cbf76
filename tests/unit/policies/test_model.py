import hashlib

import pytest

from policies.model import Form, Link
from tests.support.policy_bundles import make_facts


def test_forms_are_ordered_from_most_to_least_protective() -> None:
    assert sorted(Form) == [Form.HIDE, Form.REDACT, Form.MASK, Form.PLAIN]


def test_the_name_of_facts_is_the_digest_of_their_lines() -> None:
    lines = (
        b"role=agent\ndesk=front_line\nactor=human\npurpose=support_case\nlink=owner\n"
        b"tier=standard\ntie=none\nrisk=none\non_shift=true\nsame_tenant=true\nsame_region=true\n"
        b"fresh_mfa=false\nreason_given=false\ncustomer_present=false"
    )

    assert make_facts().canonical() == lines
    assert make_facts().facts_id == hashlib.sha256(lines).hexdigest()[:16]


@pytest.mark.parametrize("change", [{"link": Link.NONE}, {"fresh_mfa": True}])
def test_other_facts_have_another_name(change: dict[str, object]) -> None:
    assert make_facts(**change).facts_id != make_facts().facts_id


def test_facts_are_stored_as_plain_values() -> None:
    stored = make_facts().as_dict()

    assert stored["link"] == "owner"
    assert type(stored["link"]) is str
    assert stored["on_shift"] is True
