"""Texts that a service has redacted."""

from typing import Annotated

from pydantic import StringConstraints

from api.schemas.views import ReceiptOut
from api.schemas.words import Answer, Body, Ident

# As the services' own bound; the whole body has RECORDGUARD_MAX_BODY_BYTES.
MAX_TEXT = 65_536


class RedactionBody(Body):
    """What a customer wrote."""

    customer: Ident
    text: Annotated[str, StringConstraints(max_length=MAX_TEXT)]
    case: Ident | None = None


class RedactionOut(Answer):
    """The same without what must not be seen; `taken` counts the places."""

    text: str
    taken: int
    receipt: ReceiptOut
