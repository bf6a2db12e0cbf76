"""What to do next, in words: a sentence for each token that the broker answers with.

Where a page has a form for a step, the form's id stands beside it, so that the words lead there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from guard.views import NextStep


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWords:
    """A step as a person reads it, and the form that it leads to; '' without one."""

    text: str
    form: str = ""


STEP_WORDS: Mapping[NextStep, StepWords] = MappingProxyType(
    {
        NextStep.ASK_LIFT: StepWords(text="Ask your lead to lift the limit"),
        NextStep.ASK_SECOND_LINE: StepWords(text="Ask the second line"),
        NextStep.BREAK_GLASS: StepWords(text="Break the glass", form="glass"),
        NextStep.CHECK_FIELD: StepWords(text="Ask for another field"),
        NextStep.CHECK_PURPOSE: StepWords(text="Choose another purpose"),
        NextStep.CHECK_REFERENCE: StepWords(text="Check the reference"),
        NextStep.CONTACT: StepWords(text="Call or write without the address", form="contact"),
        NextStep.CUSTOMER_CODE: StepWords(text="Ask the customer for a code", form="code"),
        NextStep.EXTEND_LIST: StepWords(text="Ask for the customer to be put on the list"),
        NextStep.GIVE_REASON: StepWords(text="Give a reason", form="again"),
        NextStep.HAND_OVER: StepWords(text="Hand the case to a team in the customer's region"),
        NextStep.NAME_CASE: StepWords(text="Name the case", form="again"),
        NextStep.OTHER_CHANNEL: StepWords(text="Use another channel"),
        NextStep.REVEAL: StepWords(text="Reveal with a reason", form="reveal"),
        NextStep.SEE_NOTICES: StepWords(text="See your notices on your own page"),
        NextStep.STEP_UP: StepWords(
            text="Confirm a second factor where your token comes from, then sign in with a new link"
        ),
        NextStep.VERIFY: StepWords(text="Check what the customer says", form="verify"),
        NextStep.VIEW: StepWords(text="Open the record", form="again"),
        NextStep.VIEW_AGAIN: StepWords(text="Open the record again", form="again"),
        NextStep.WAIT: StepWords(text="Wait"),
    }
)
