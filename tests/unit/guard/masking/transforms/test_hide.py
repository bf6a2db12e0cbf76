from guard.masking import REGISTRY
from policies.model import Form
from tests.unit.guard.masking.support import REDACTED, mask


def test_hide_is_a_form_of_its_own_and_shows_nothing_even_if_called() -> None:
    assert REGISTRY.find("hide").form is Form.HIDE
    assert mask("hide")("secret") == REDACTED
