from api.console.desk_pages import About, AboutForm, offered
from guard.views import NextStep
from policies.model import Purpose


def test_a_form_says_whom_it_is_about() -> None:
    form = AboutForm(csrf="x", customer="ref-1", purpose=Purpose.ONBOARDING, case="case-7")
    assert form.about == About(customer="ref-1", purpose=Purpose.ONBOARDING, case="case-7")


def test_steps_offer_their_forms_once_and_nothing_else() -> None:
    steps = (NextStep.NAME_CASE, NextStep.GIVE_REASON, NextStep.WAIT, NextStep.BREAK_GLASS)
    assert offered(steps) == {"again", "glass"}
