"""What the tests of the desk share: posting a form as a browser does, and a record to act on."""

from dataclasses import replace

from starlette.testclient import TestClient

from guard.views import FieldNote, NextStep, Served
from policies.model import Form
from tests.unit.api.console.conftest import SAME_ORIGIN, csrf_of
from tests.unit.api.fakes import masked, served

EVIL = '"><script>alert(1)</script>'


def post(client: TestClient, path: str, **fields: object) -> tuple[int, str]:
    """The answer to a form about a customer."""
    csrf = csrf_of(client.get("/console/desk").text)
    data = {"csrf": csrf, "customer": "ref-1", **fields}
    answer = client.post(f"/console/desk/{path}", data=data, headers=SAME_ORIGIN)
    return answer.status_code, answer.text


def note(path: str, *steps: NextStep, verify: tuple[str, ...] = ()) -> FieldNote:
    return FieldNote(
        path=path,
        cls="contact",
        form=Form.MASK,
        why="masked for support",
        next=steps,
        verify=verify,
        contact={"email": "mail", "phone": "call"}.get(path),
    )


def full_record() -> Served:
    """A record about whose fields everything can be done."""
    return replace(
        served(),
        record=masked({"email": "a*****@e*****.com", "phone": "+49 ***12", "iban": "****1234"}),
        fields=(
            note("email", NextStep.CONTACT, NextStep.VERIFY, NextStep.REVEAL, verify=("full",)),
            note("phone", NextStep.CONTACT, NextStep.VERIFY, verify=("last4", "full")),
            note("iban", NextStep.CUSTOMER_CODE, NextStep.BREAK_GLASS, verify=("last4",)),
            note("plan", NextStep.GIVE_REASON, NextStep.ASK_SECOND_LINE),
        ),
    )
