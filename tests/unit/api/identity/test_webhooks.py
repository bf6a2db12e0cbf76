import base64
import hashlib
import hmac
from pathlib import Path

import pytest

from api.identity.errors import CredentialError
from api.identity.webhooks import (
    MAX_SIGNATURES,
    TOLERANCE,
    Signed,
    Webhooks,
    WebhookSource,
    parse_source,
    sign,
)
from guard.clock import SECOND
from guard.errors import ConfigurationError
from tests.unit.api.fakes import NOW

OLD, NEW = b"o" * 24, b"n" * 32
BODY = b'{"id": 1}'
TEXT = f"""
whsec_{base64.b64encode(OLD).decode()}
whsec_{base64.b64encode(NEW).decode()}
tenant acme
principal zendesk-sync
customers crm
"""


def webhooks() -> Webhooks:
    return Webhooks([parse_source("zendesk", TEXT)], lambda: NOW)


def signed(secret: bytes = NEW, at: int = NOW) -> dict[str, str]:
    return sign(secret, "m-1", at, BODY)


def test_the_signature_is_the_one_of_the_standard() -> None:
    content = b"m-1." + str(NOW // SECOND).encode() + b"." + BODY
    digest = hmac.new(NEW, content, hashlib.sha256).digest()
    assert signed()["webhook-signature"] == "v1," + base64.b64encode(digest).decode()


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_a_delivery_signed_with_either_secret_is_taken(secret: bytes) -> None:
    source, found = webhooks().verify("zendesk", signed(secret), BODY)
    assert source == WebhookSource(
        name="zendesk",
        secrets=(OLD, NEW),
        tenant="acme",
        principal="zendesk-sync",
        adapter="zendesk",
        customers="crm",
    )
    assert found == Signed("m-1", NOW // SECOND * SECOND)
    assert OLD.decode() not in repr(source)


def test_one_good_signature_of_several_is_enough_and_their_number_is_bounded() -> None:
    good = signed()["webhook-signature"]
    both = f"v1,AAAA v2,{good[3:]} {good}"
    webhooks().verify("zendesk", signed() | {"webhook-signature": both}, BODY)
    many = " ".join(["v1,AAAA"] * MAX_SIGNATURES + [good])
    with pytest.raises(CredentialError):
        webhooks().verify("zendesk", signed() | {"webhook-signature": many}, BODY)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, BODY),
        (signed(b"x" * 24), BODY),
        (signed(), b'{"id": 2}'),
        (signed() | {"webhook-id": "m-2"}, BODY),
        (signed() | {"webhook-timestamp": str(NOW // SECOND + 1)}, BODY),
        (signed() | {"webhook-signature": ""}, BODY),
        (signed() | {"webhook-signature": "v1,"}, BODY),
        (signed() | {"webhook-signature": signed()["webhook-signature"][3:]}, BODY),
        (signed() | {"webhook-signature": "v1a" + signed()["webhook-signature"][2:]}, BODY),
        (signed() | {"webhook-signature": "\u20ac"}, BODY),
    ],
)
def test_what_is_not_signed_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(CredentialError, match="no webhook of that name"):
        webhooks().verify("zendesk", headers, body)


def test_a_source_that_is_not_set_up_is_answered_like_a_bad_signature() -> None:
    with pytest.raises(CredentialError) as unknown:
        webhooks().verify("other", signed(), BODY)
    with pytest.raises(CredentialError) as bad:
        webhooks().verify("zendesk", signed(b"x" * 24), BODY)
    assert str(unknown.value) == str(bad.value)
    with pytest.raises(CredentialError):
        Webhooks.open(None, lambda: NOW).verify("zendesk", signed(), BODY)


@pytest.mark.parametrize("off", [-TOLERANCE - SECOND, TOLERANCE + SECOND])
def test_a_signature_is_good_for_minutes(off: int) -> None:
    with pytest.raises(CredentialError, match="too long ago"):
        webhooks().verify("zendesk", signed(at=NOW + off), BODY)


def test_the_edge_of_the_tolerance_is_inside() -> None:
    for off in (-TOLERANCE, TOLERANCE):
        webhooks().verify("zendesk", signed(at=NOW + off), BODY)


@pytest.mark.parametrize(
    "delivery_id", ["", "x" * 129, "a\x7fb", "a b", "naïve", "m-1\n", ".", f"m-1.{NOW // SECOND}"]
)
def test_a_delivery_needs_an_id_that_can_be_kept(delivery_id: str) -> None:
    headers = sign(NEW, delivery_id, NOW, BODY)
    with pytest.raises(CredentialError, match="webhook-id"):
        webhooks().verify("zendesk", headers, BODY)


def test_no_two_deliveries_can_be_signed_alike() -> None:
    """With a dot in the id the same bytes would be signed for another time and body."""
    good = sign(NEW, "m-1", NOW, b"123." + BODY)
    stamp = good["webhook-timestamp"]
    twisted = good | {"webhook-id": f"m-1.{stamp}", "webhook-timestamp": "123"}
    with pytest.raises(CredentialError, match="webhook-id"):
        webhooks().verify("zendesk", twisted, BODY)


@pytest.mark.parametrize("stamp", ["", "now", "1" * 13, "-5", "1.5"])
def test_a_signed_time_that_is_none_is_refused(stamp: str) -> None:
    content = b".".join((b"m-1", stamp.encode(), BODY))
    digest = base64.b64encode(hmac.new(NEW, content, hashlib.sha256).digest()).decode()
    headers = {
        "webhook-id": "m-1",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{digest}",
    }
    with pytest.raises(CredentialError, match="too long ago"):
        webhooks().verify("zendesk", headers, BODY)


def test_sources_are_read_from_the_folder_of_secrets(tmp_path: Path) -> None:
    (tmp_path / "webhook-desk").write_text(TEXT + "adapter servicenow\n")
    (tmp_path / "crm-password").write_text("another secret")
    found = Webhooks.open(tmp_path, lambda: NOW)
    source, _ = found.verify("desk", signed(), BODY)
    assert (source.name, source.adapter) == ("desk", "servicenow")


def test_a_file_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "webhook-desk").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="webhook-"):
        Webhooks.open(tmp_path, lambda: NOW)


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.replace("whsec_", "secret "),
        TEXT.replace("tenant acme", ""),
        TEXT.replace("tenant acme", "tenant "),
        TEXT + "tenant other",
        TEXT + "adapter jira",
        TEXT + "colour blue",
        TEXT + "whsec_AAAA",
        TEXT + "whsec_no base64!",
        TEXT + TEXT.partition("tenant")[0] * 2,
        TEXT + "adapter zendesk\n" * 16,
    ],
)
def test_a_set_up_that_is_wrong_is_named_without_its_secrets(text: str) -> None:
    with pytest.raises(ConfigurationError, match="webhook-zendesk") as caught:
        parse_source("zendesk", text)
    assert base64.b64encode(NEW).decode() not in str(caught.value)


def test_a_source_has_a_name_that_fits_a_path() -> None:
    with pytest.raises(ConfigurationError):
        parse_source("Zen Desk", TEXT)
