"""What is done about a covered field at the desk: opening it for seconds, checking, calling.

Each act is a form and its answer a page of its own beside the record, so that the record need not
be opened again. What was typed is never shown again, an address never at all.
"""

import hashlib
import secrets
from typing import Annotated, Literal

import msgspec
from fastapi import Form
from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from api.console.desk_pages import AboutForm, carried_out, desk_page
from api.console.record_rows import record_rows
from api.console.session import Secret, verify, visitor
from api.idempotency import REPLAYED
from api.identity.scopes import Scope
from api.identity.sessions import SignedIn
from api.middleware import router
from api.rendering import PREFIX, place
from api.routers.dependencies import Guarded, Kept
from api.routers.outcomes import noted
from api.schemas.contacts import Subject, Text
from api.schemas.verifications import Claim
from api.schemas.views import MAX_FIELDS
from api.schemas.words import Ident, Prose
from guard.views import ContactRequest, DeliveryState, RevealRequest, VerifyRequest
from policies.model import Act

TAKEN = 202

routes = router("console")


class RevealForm(AboutForm):
    """Fields of a view, and why they must be read. The broker says how many, in words."""

    view: Ident
    fields: list[Ident] = Field(default=[], max_length=MAX_FIELDS)
    reason: Prose


class VerifyForm(AboutForm):
    """A part of a field as `path:part`, so that no two lists have to fit, and what was said."""

    what: Annotated[str, StringConstraints(max_length=200, pattern=r"^[^:]+:[a-z0-9_]+$")]
    claim: Claim


class ContactForm(AboutForm):
    """A call, mail or message; `once` keeps a page that is loaded again from sending again."""

    channel: Literal["call", "mail", "message"]
    subject: Subject = ""
    text: Text = ""
    once: Annotated[Secret, Field(min_length=16, max_length=64)]

    @property
    def key(self) -> str:
        """Another text from a page that is still open is another message."""
        words = f"{self.channel}\0{self.subject}\0{self.text}"
        return f"{self.once}-{hashlib.sha256(words.encode()).hexdigest()[:32]}"


@routes.post(PREFIX + "/desk/reveal", include_in_schema=False)
async def reveal(
    request: Request,
    form: Annotated[RevealForm, Form()],
    services: Guarded,
    signed_in: Annotated[SignedIn, visitor(Scope.REVEALS_WRITE)],
) -> Response:
    """Show single fields; the page leaves by itself when their time is over."""
    verify(request, signed_in, form)
    asked = RevealRequest(view=form.view, fields=tuple(form.fields), reason=form.reason)
    said = await services.broker.reveal(signed_in.principal, asked)
    revealed = carried_out(request, Act.REVEAL, said, signed_in, form.about)
    noted(request, revealed.shown.receipt)
    return desk_page(
        "revealed.html",
        signed_in,
        revealed=revealed,
        rows=record_rows(revealed.shown),
        about=form.about,
    )


@routes.post(PREFIX + "/desk/verify", include_in_schema=False)
async def check(
    request: Request,
    form: Annotated[VerifyForm, Form()],
    services: Guarded,
    signed_in: Annotated[SignedIn, visitor(Scope.VERIFICATIONS_WRITE)],
) -> Response:
    """Say whether it is what the record holds."""
    verify(request, signed_in, form)
    path, _, part = form.what.partition(":")
    asked = VerifyRequest(
        customer=form.customer,
        field=path,
        part=part,
        claim=form.claim,
        purpose=form.purpose.value,
        case=form.case,
    )
    said = await services.broker.verify(signed_in.principal, asked)
    verified = carried_out(request, Act.VERIFY, said, signed_in, form.about)
    noted(request, verified.receipt)
    return desk_page(
        "verified.html", signed_in, verified=verified, path=path, part=part, about=form.about
    )


@routes.post(PREFIX + "/desk/contact", include_in_schema=False)
async def contact(
    request: Request,
    form: Annotated[ContactForm, Form()],
    services: Guarded,
    replies: Kept,
    signed_in: Annotated[SignedIn, visitor(Scope.CONTACTS_WRITE)],
) -> Response:
    """Say how it ended; the same form sent twice is carried out once."""
    verify(request, signed_in, form)
    asked = ContactRequest(
        customer=form.customer,
        channel=form.channel,
        purpose=form.purpose.value,
        case=form.case,
        subject=form.subject,
        text=form.text,
    )

    async def act() -> Response:
        said = await services.broker.contact(signed_in.principal, asked)
        answer = carried_out(request, Act.CONTACT, said, signed_in, form.about)
        noted(request, answer.receipt, answer.state.value)
        # What is kept for a repeat: how it ended, and nothing of what was written.
        kept = {
            "state": answer.state.value,
            "channel_id": answer.channel_id,
            "index": place(answer.receipt),
            "next": answer.next,
            "would": answer.would,
        }
        return Response(msgspec.json.encode(kept), media_type="application/json")

    reply = await replies.once(request, signed_in.principal, act, form.key)
    ended = msgspec.json.decode(bytes(reply.body))
    return desk_page(
        "contacted.html",
        signed_in,
        TAKEN if ended["state"] == DeliveryState.UNKNOWN else 200,
        ended=ended,
        is_repeated=REPLAYED in reply.headers,
        channel=form.channel,
        about=form.about,
        once=secrets.token_urlsafe(16),
    )
