"""The whole job, masked: each piece of work that masked desks lose is done here, unseen.

What breaks elsewhere when records are masked: finding a customer, merging, CC, calling back,
writing, suspended tickets, redaction, checking a caller, queues, transfers, households, review.
Every answer on the way is kept, and none may hold a protected value of any customer; what the
customer is reached by is seen at the mail server and the telephony system only.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from guard.clock import MINUTE, to_rfc3339
from tests.support.desk import (
    FRAUD,
    REVIEWER,
    SENIOR,
    SupportDesk,
    name_and_birth,
    open_desk,
)
from tests.support.service import ADMIN, AGENT, AGENTS, ANALYST, AUDITOR, LEAD, SYNC, records
from tests.support.sinks import Manner

pytestmark = [pytest.mark.functional, pytest.mark.anyio, pytest.mark.enable_socket]

ROWS = records(34)
SUPPORT = {"purpose": "support_case"}
OTHER = AGENTS[1]
QUEUE = 30
# Fewest cases that a sample is drawn from.
POOL = 20
UNPROCESSABLE = 422


@pytest.fixture
def ledger(sqlite_template: Path) -> bytes:
    return sqlite_template.read_bytes()


@pytest.fixture
async def desk(tmp_path: Path, ledger: bytes) -> AsyncIterator[SupportDesk]:
    async with open_desk(tmp_path, ledger, ROWS) as opened:
        yield opened
        # Whatever a test did, and however it ended: nothing protected stood in any answer.
        assert opened.leaks() == []
        assert len(opened.witness.answers) > 1


def ago(desk: SupportDesk, minutes: int) -> str:
    return to_rfc3339(desk.service.services.clock.now() - minutes * MINUTE)


async def view(desk: SupportDesk, ref: str, who: str = AGENT, **body: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of a body
    """A view that goes on; what it answered."""
    answer = await desk.service.view(ref, who, **body)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def links(desk: SupportDesk, ref: str) -> list[tuple[str, str, str | None]]:
    """Who saw a customer, under which link and late link, oldest first."""
    found = await desk.ask("GET", f"/v1/log/views?customer={ref}", AUDITOR)
    return [(e["agent"], e["link"], e["late_link"]) for e in reversed(found["entries"])]


def forms(answer: dict[str, Any]) -> dict[str, str]:
    return {note["path"]: note["form"] for note in answer["fields"]}


# Finding a customer


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("email", lambda row: str(row["email"]).upper()),
        ("phone", lambda row: str(row["phone"]).replace(" ", "")),
        ("account", lambda row: str(row["iban"]).lower()),
        ("name_birth_date", name_and_birth),
    ],
)
async def test_a_caller_is_found_by_what_the_caller_says(
    desk: SupportDesk,
    kind: str,
    said: Any,  # noqa: ANN401 - a row's reader
) -> None:
    row = next(n for n, one in enumerate(ROWS) if str(one["phone"]).startswith("+"))
    body = {"kind": kind, "value": said(ROWS[row]), **SUPPORT}
    found = await desk.post("/v1/searches", AGENT, body)
    assert (found["customer"], found["narrow"]) == (desk.refs[row], False)
    missed = await desk.post("/v1/searches", AGENT, body | {"value": unknown(kind)})
    assert missed["customer"] is None
    # Nothing less than the whole value finds anybody.
    half = str(body["value"])[: len(str(body["value"])) // 2]
    answer = await desk.service.ask("POST", "/v1/searches", AGENT, body | {"value": half})
    assert answer.status_code == UNPROCESSABLE or (answer.json()["customer"] is None)


def unknown(kind: str) -> str:
    return {
        "email": "nobody@nowhere.example",
        "phone": "+49 30 0000000",
        "account": "NOBODY0001",
        "name_birth_date": "No Body 1950-01-01",
    }[kind]


# Reaching a customer


async def test_a_customer_is_written_to_and_called_back_without_the_address(
    desk: SupportDesk,
) -> None:
    ref = desk.refs[0]
    about = {"customer": ref, "case": await desk.service.case(ref), **SUPPORT}
    mail = {**about, "channel": "mail", "subject": "Your order", "text": "It is on its way."}
    assert (await desk.post("/v1/contacts", AGENT, mail))["state"] == "delivered"
    call = {**about, "channel": "call"}
    assert (await desk.post("/v1/contacts", AGENT, call))["channel_id"] == "call-7"
    assert any(str(ROWS[0]["email"]) in line for line in desk.mail.envelopes)
    digits = "".join(c for c in str(ROWS[0]["phone"]) if c.isdigit())
    rung = "".join(c for c in desk.calls.received[0].decode() if c.isdigit())
    assert digits in rung
    # A channel that quotes what it was given changes nothing.
    desk.mail.manner, desk.calls.manner = Manner.REFUSES_RECIPIENT, Manner.FAILS
    failed = await desk.post("/v1/contacts", AGENT, mail)
    assert (failed["state"], failed["next"]) == ("failed", ["use_another_channel"])
    assert (await desk.post("/v1/contacts", AGENT, call, 202))["state"] == "unknown"


async def test_further_customers_are_put_in_copy_by_reference(desk: SupportDesk) -> None:
    first, second, third = desk.refs[:3]
    for ref in (first, second):
        await desk.service.case(ref)
    mail = {"customer": first, "channel": "mail", "subject": "Both", "text": "Hello.", **SUPPORT}
    sent = await desk.post("/v1/contacts", AGENT, mail | {"cc": [second, third]})
    assert sent["state"] == sent["cc"][0]["state"] == "delivered"
    # No case of the third: nothing goes there, and the others are served.
    assert sent["cc"][1]["problem"]["next"]
    assert len(desk.mail.received) == 2
    for sent_to, content in zip((0, 1), desk.mail.received, strict=True):
        assert str(ROWS[1 - sent_to]["email"]).encode() not in content


async def test_two_customers_are_merged_by_reference(desk: SupportDesk) -> None:
    keep, merge = desk.refs[:2]
    case = await desk.service.case(keep)
    await desk.service.case(merge)
    body = {"keep": keep, "merge": merge, "case": case, "reason": "one passport for both"}
    assert (await desk.post("/v1/merges", AGENT, body))["merge_id"]
    refused = await desk.post("/v1/merges", AGENT, body | {"merge": desk.refs[2]}, 403)
    assert "name_the_case" in refused["next"]
    assert (await desk.post("/v1/merges", AGENT, body | {"merge": "nobody"}, 404))["next"]
    (told,) = desk.crm.received
    assert b"cust-00001" in told
    assert b"cust-00002" in told


# Tickets and texts


def mail_ticket(desk: SupportDesk, sender: str, number: int = 1) -> dict[str, Any]:
    """A ticket of which the ticket system knows the sender's address only."""
    return {
        "type": "zen:event-type:ticket.created",
        "time": ago(desk, 1),
        "detail": {
            "id": f"zd-{number}",
            "status": "OPEN",
            "via": {"channel": "email"},
            "created_at": ago(desk, 1),
            "updated_at": ago(desk, 1),
            "requester": {"email": sender},
            "assignee": {"external_id": AGENT},
        },
        "event": {},
    }


async def test_a_suspended_ticket_becomes_the_case_of_its_sender(desk: SupportDesk) -> None:
    answer = await desk.deliver(mail_ticket(desk, str(ROWS[4]["email"])))
    assert answer.status_code == httpx2.codes.NO_CONTENT
    await view(desk, desk.refs[4])
    # Anybody could have written in her name: it is her case, and fields open after a check.
    assert await links(desk, desk.refs[4]) == [(AGENT, "claimed", None)]
    # The agent answers the sender of the ticket, whose address nobody has seen.
    mail = {"customer": desk.refs[4], "channel": "mail", "subject": "Re: your mail", **SUPPORT}
    assert (await desk.post("/v1/contacts", AGENT, mail | {"text": "Hello."}))["state"]
    assert any(str(ROWS[4]["email"]) in line for line in desk.mail.envelopes)
    unknown_sender = await desk.deliver(mail_ticket(desk, "nobody@nowhere.example", 2), "m-2")
    assert unknown_sender.status_code == httpx2.codes.NOT_FOUND
    assert "nobody@nowhere.example" not in unknown_sender.text


async def test_a_customers_message_is_shown_without_the_customers_values(
    desk: SupportDesk,
) -> None:
    row = ROWS[5]
    text = (
        f"It is {row['full_name']}, born {row['birth_date']}. Call {row['phone']}, write to"
        f" {str(row['email']).upper()} or pay to {row['iban']}. The parcel is blue."
    )
    told = await desk.post("/v1/redactions", SYNC, {"customer": desk.refs[5], "text": text})
    assert told["taken"] >= 4
    assert "The parcel is blue." in told["text"]
    assert str(row["email"]).upper() not in told["text"]
    refused = await desk.post(
        "/v1/redactions", AGENT, {"customer": desk.refs[5], "text": text}, 403
    )
    assert refused["detail"]


async def test_a_caller_is_checked_by_the_last_four(desk: SupportDesk) -> None:
    (ref, *_), (row, *_) = desk.refs, ROWS
    about = {"customer": ref, "case": await desk.service.case(ref), **SUPPORT}
    digits = "".join(c for c in str(row["phone"]) if c.isdigit())
    claim = {**about, "field": "phone", "part": "last4", "claim": digits[-4:]}
    assert (await desk.post("/v1/verifications", AGENT, claim))["matches"] is True
    wrong = claim | {"claim": f"{(int(digits[-4:]) + 1) % 10_000:04}"}
    assert (await desk.post("/v1/verifications", AGENT, wrong))["matches"] is False
    born = {**about, "field": "birth_date", "part": "full", "claim": row["birth_date"]}
    assert (await desk.post("/v1/verifications", AGENT, born))["matches"] is True


async def test_a_queue_shows_thirty_customers_in_masks(desk: SupportDesk) -> None:
    refs = desk.refs[:QUEUE]
    for ref in refs:
        await desk.service.case(ref)
    body = {"customers": refs, **SUPPORT}
    queue = (await desk.post("/v1/views:batch", AGENT, body))["customers"]
    assert [one["customer"] for one in queue] == refs
    assert all(one["problem"] is None if "problem" in one else True for one in queue)
    shown = {form for one in queue for form in forms(one).values()}
    assert "plain" not in shown
    assert all(one["record"]["full_name"] for one in queue)
    mine = await desk.ask("GET", "/v1/cases/mine", AGENT)
    assert len(mine["cases"]) == QUEUE


# Handing over


async def test_a_warm_transfer_overlaps_and_then_the_senders_right_ends(
    desk: SupportDesk,
) -> None:
    warm, cold = desk.refs[:2]
    await desk.put_case(warm, [(AGENT, "inbound", ago(desk, 9)), (OTHER, "transfer", ago(desk, 2))])
    await desk.put_case(cold, [(AGENT, "inbound", ago(desk, 9)), (OTHER, "transfer", ago(desk, 7))])
    for ref, link in ((warm, "owner"), (cold, "stale")):
        await view(desk, ref, OTHER)
        await view(desk, ref, AGENT, reason="still on the line")
        assert await links(desk, ref) == [(OTHER, "transfer", None), (AGENT, link, None)]


async def test_an_escalation_is_worked_on_by_the_second_line(desk: SupportDesk) -> None:
    ref = desk.refs[0]
    case = await desk.put_case(
        ref, [(AGENT, "inbound", ago(desk, 9)), (SENIOR, "escalation", ago(desk, 1))]
    )
    seen = await view(desk, ref, SENIOR)
    assert forms(seen)["email"] == "mask"
    assert await links(desk, ref) == [(SENIOR, "escalation", None)]
    mail = {"customer": ref, "case": case, "channel": "mail", "subject": "We are on it", **SUPPORT}
    assert (await desk.post("/v1/contacts", SENIOR, mail | {"text": "Soon."}))["state"]


async def test_a_households_second_account_is_seen_in_masks(desk: SupportDesk) -> None:
    mine, partner = desk.refs[:2]
    body = {"kind": "household", "customers": [mine, partner]}
    assert (await desk.ask("PUT", "/v1/relations", SYNC, body))["changed"]
    await desk.service.case(mine)
    seen = await view(desk, partner)
    assert {form for path, form in forms(seen).items() if path.startswith("address.street")} == {
        "redact"
    }
    assert await links(desk, partner) == [(AGENT, "related", None)]


async def test_a_sampled_case_is_reviewed_in_masks(desk: SupportDesk) -> None:
    over = {"opened_at": ago(desk, 90), "closed_at": ago(desk, 60)}
    cases = {await desk.service.case(ref, **over): ref for ref in desk.refs[:POOL]}
    window = {"team": "team-1", "since": ago(desk, 120), "until": ago(desk, 0)}
    body = {**window, "size": 1, "reviewers": [REVIEWER]}
    sample = await desk.post("/v1/samples", "manager-1", body)
    (drawn,) = sample["drawn"]
    ref = cases[drawn["case"]]
    assert (drawn["reviewer"], sample["drawn_from"]) == (REVIEWER, POOL)
    seen = await view(desk, ref, REVIEWER, purpose="quality_review")
    assert "plain" not in forms(seen).values()
    assert await links(desk, ref) == [(REVIEWER, "qa", None)]
    other = await desk.service.view(desk.refs[POOL], REVIEWER, purpose="quality_review")
    assert (other.status_code, bool(other.json()["next"])) == (403, True)


@pytest.mark.parametrize(("purpose", "channel"), [("onboarding", "kyc"), ("fraud_review", "fraud")])
async def test_queues_of_the_fraud_desk_are_worked_on_in_masks(
    desk: SupportDesk, purpose: str, channel: str
) -> None:
    ref = desk.refs[0]
    await desk.service.case(ref, FRAUD, how="queue", channel=channel)
    seen = await view(desk, ref, FRAUD, purpose=purpose)
    assert forms(seen)["national_id"] == "redact"
    about = {"customer": ref, "purpose": purpose}
    claim = {**about, "field": "national_id", "part": "last4"}
    claim["claim"] = str(ROWS[0]["national_id"])[-4:]
    assert (await desk.post("/v1/verifications", FRAUD, claim))["matches"] is True
    call = await desk.post("/v1/contacts", FRAUD, {**about, "channel": "call"})
    assert call["state"] == "delivered"
    refused = await desk.service.view(ref, AGENT, purpose=purpose)
    assert (refused.status_code, bool(refused.json()["next"])) == (403, True)


# When the case is not there, or not there any more


async def test_a_late_case_costs_no_refusal_and_repairs_the_view(desk: SupportDesk) -> None:
    ref = desk.refs[0]
    seen = await view(desk, ref)
    assert forms(seen)["email"] in {"mask", "redact"}
    assert (await links(desk, ref))[0][1:] == ("pending", None)
    await desk.service.case(ref)
    await view(desk, ref)
    assert await links(desk, ref) == [(AGENT, "pending", "owner"), (AGENT, "owner", None)]


async def test_a_closed_case_is_written_up_for_a_while(desk: SupportDesk) -> None:
    for ref, minutes, link in zip(desk.refs, (10, 30), ("owner", "stale"), strict=False):
        await desk.service.case(ref, opened_at=ago(desk, 40), closed_at=ago(desk, minutes))
        await view(desk, ref, reason="writing it up")
        assert await links(desk, ref) == [(AGENT, link, None)]


# What opens more


async def test_a_present_customer_opens_one_field_for_seconds(desk: SupportDesk) -> None:
    ref = desk.refs[0]
    seen = await view(desk, ref, case=await desk.service.case(ref))
    path = f"/v1/views/{seen['receipt']['entry_id']}/reveals"
    body = {"fields": ["iban"], "reason": "to read it back to the customer"}
    refused = await desk.post(path, AGENT, body, 403)
    assert "ask_the_customer_for_a_code" in refused["next"]
    code = (await desk.post("/v1/presence/codes", SYNC, {"customer": ref}))["code"]
    await desk.post("/v1/presence", AGENT, {"customer": ref, "code": code})
    shown = await desk.post(path, AGENT, body)
    assert shown["record"] == {"iban": ROWS[0]["iban"]}
    assert shown["expires_in_s"] == 30
    (opened,) = [text for _, text in desk.witness.answers if str(ROWS[0]["iban"]) in text]
    assert str(ROWS[0]["iban"]) in opened
    desk.opened.append(str(ROWS[0]["iban"]))
    papers = await desk.post(path, AGENT, body | {"fields": ["national_id"]}, 403)
    assert papers["next"]


async def test_a_broken_glass_shows_masks_and_is_reviewed(desk: SupportDesk) -> None:
    ref = desk.refs[0]
    refused = await desk.service.view(ref, purpose="break_glass")
    assert (refused.status_code, refused.json()["next"][0]) == (403, "break_the_glass")
    body = {
        "customer": ref,
        "reason_code": "customer_vulnerable",
        "text": "the caller cannot speak and needs help at once",
        "minutes": 10,
    }
    grant = (await desk.post("/v1/break-glass", AGENT, body))["id"]
    seen = await view(desk, ref, purpose="break_glass")
    assert "plain" not in forms(seen).values()
    (alert,) = (await desk.ask("GET", "/v1/alerts", ANALYST))["alerts"]
    assert alert["kind"] == "break_glass"
    await desk.ask("DELETE", f"/v1/break-glass/{grant}", AGENT)
    found = {"outcome": "justified", "note": "the call is on record"}
    for who, status in ((AGENT, 403), (LEAD, 403), (ADMIN, 200)):
        await desk.post(f"/v1/break-glass/{grant}/review", who, found, status)
