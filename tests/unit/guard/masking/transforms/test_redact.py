from guard.masking import REGISTRY
from policies.model import Form
from tests.unit.guard.masking.support import REDACTED, mask


def test_redact_is_a_form_of_its_own_and_gives_the_constant() -> None:
    assert REGISTRY.find("redact").form is Form.REDACT
    assert {mask("redact")(value) for value in ("secret", None, 5, "")} == {REDACTED}
