import base64
import hashlib
import hmac

import pytest

from guard.contacts.signing import parse_secret, signed_headers

KEY = bytes(range(32))


def test_a_message_is_signed_as_standard_webhooks_says() -> None:
    # The specification's own example.
    key = parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert key is not None
    headers = signed_headers(
        key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_000_000, b'{"test": 2432232314}'
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_signature_covers_id_time_and_body() -> None:
    headers = signed_headers(KEY, "msg_1", 1_999_999, b"body")
    signed = hmac.new(KEY, b"msg_1.1.body", hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(signed).decode()


@pytest.mark.parametrize("length", [24, 64])
def test_a_secret_of_the_right_length_is_taken_with_and_without_its_prefix(length: int) -> None:
    key = bytes(length)
    text = base64.b64encode(key).decode()
    assert parse_secret("whsec_" + text) == parse_secret(text) == key


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_QUJD", "password", "whsec_" + "QUJD" * 30, "QUJD" * 8 + "é"]
)
def test_what_is_no_secret_is_none(text: str) -> None:
    assert parse_secret(text) is None
