import re
from pathlib import Path

from api.console.desk_pages import FORM_SCOPES
from api.console.next_steps import STEP_WORDS
from guard.views import NextStep

TEMPLATES = Path(__file__).parents[4] / "api" / "console" / "templates"


def test_every_step_has_words() -> None:
    assert set(STEP_WORDS) == set(NextStep)


def test_every_form_that_a_step_leads_to_exists_and_is_bound_to_a_scope() -> None:
    forms = {words.form for words in STEP_WORDS.values()} - {""}
    html = "".join((TEMPLATES / f"{n}.html").read_text() for n in ("record", "desk_forms"))
    assert forms <= set(re.findall(r'\sid="([^"]+)"', html))
    assert forms <= set(FORM_SCOPES)
