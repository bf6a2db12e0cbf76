"""A contacts file: what it opens, and errors that name file and line."""

from pathlib import Path

import pytest

from guard.contacts.opening import open_contacts
from guard.errors import ConfigurationError

pytestmark = pytest.mark.anyio

SECRETS = {"smtp": "swordfish", "cti": "whsec_" + "QUJD" * 8, "short": "whsec_QUJD"}
MAIL = """\
[[channel]]
name = "mail"
kind = "smtp"
host = "smtp.example.com"
from = "support@example.com"
"""
CALL = """\
[[channel]]
name = "call"
kind = "webhook"
url = "https://cti.example.com/calls"
secret = "cti"
"""
MERGES = 'merge_url = "https://crm.example.com/merges"\nmerge_secret = "cti"\n'


async def test_a_whole_file_opens() -> None:
    more = 'user = "guard"\npassword_secret = "smtp"\nreply_to = "s+{reference}@example.com"\n'
    for document in ((MERGES + MAIL + more + CALL).encode(), EXAMPLE):
        opened = open_contacts(document, "contacts.toml", secrets=SECRETS | NAMED)
        assert {"mail", "call"} <= set(opened.channels)
        assert opened.merges is not None
        await opened.close()


EXAMPLE = Path("docs/examples/contacts.toml").read_bytes()
NAMED = {"smtp_password": "swordfish", "cti_secret": SECRETS["cti"], "crm_secret": SECRETS["cti"]}


async def test_a_file_without_a_merge_url_tells_nobody() -> None:
    opened = open_contacts(b"", "contacts.toml", secrets={})
    assert (dict(opened.channels), opened.merges) == ({}, None)
    await opened.close()


@pytest.mark.parametrize(
    ("document", "line", "says"),
    [
        ("name = 1\nx", 2, "not TOML"),
        ("channels = 1\n", 1, "unknown setting"),
        (MAIL.replace('"mail"', '"fax"'), 2, "must be one of"),
        (MAIL.replace('"smtp"', '"carrier pigeon"'), 3, "`smtp` or `webhook`"),
        (MAIL.replace('host = "smtp.example.com"\n', ""), 1, "`host` is missing"),
        (MAIL.replace("support@example.com", "Support <s@example.com>"), 5, "plain address"),
        (MAIL + 'reply_to = "s@example.com"\n', 6, "{reference}"),
        (MAIL + 'reply_to = "s+{reference}@example"\n', 6, "{reference}"),
        (MAIL + 'security = "ssl3"\n', 6, "must be one of"),
        (MAIL + 'security = "none"\n', 6, "this machine only"),
        (MAIL + 'user = "guard"\n', 1, "`password_secret` is missing"),
        (MAIL + 'user = "guard"\npassword_secret = "nope"\n', 7, "`nope` is not set"),
        (MAIL + 'from_name = "a\\nb"\n', 6, "one line"),
        (MAIL + "port = 0\n", 6, "whole number"),
        (MAIL + "tls = true\n", 6, "unknown setting"),
        (MAIL + MAIL, 7, "there twice"),
        (CALL.replace("https", "http"), 4, "https://"),
        (CALL.replace("https://cti", "https://u:p@cti"), 4, "scheme, host and path"),
        (CALL.replace("/calls", "/calls?to="), 4, "scheme, host and path"),
        (CALL.replace("example.com/", "example.com:0/"), 4, "scheme, host and path"),
        (CALL.replace("example.com/", "example.com:x/"), 4, "no address"),
        (CALL.replace("https://cti.example.com", "file://"), 4, "https://"),
        (CALL.replace("https://cti.example.com", "http://169.254.169.254"), 4, "https://"),
        (CALL.replace('"cti"', '"nope"'), 5, "`nope` is not set"),
        (CALL.replace('"cti"', '"short"'), 5, "whsec_"),
        (MERGES.replace("https", "http"), 1, "https://"),
        (MERGES.split("\n", maxsplit=1)[0], 1, "`merge_secret` is missing"),
    ],
)
def test_a_mistake_is_named_with_its_line(document: str, line: int, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_contacts(document.encode(), "contacts.toml", secrets=SECRETS)
    assert str(caught.value).startswith(f"contacts.toml:{line}: ")
    assert says in str(caught.value)
    assert "swordfish" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_this_machine_needs_no_tls(host: str) -> None:
    mail = MAIL.replace("smtp.example.com", host) + 'security = "none"\n'
    call = CALL.replace("https://cti.example.com", f"http://{host}:8080")
    opened = open_contacts((mail + call).encode(), "contacts.toml", secrets=SECRETS)
    assert len(opened.channels) == 2
    await opened.close()
