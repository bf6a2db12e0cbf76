import ssl
from pathlib import Path

import pytest

from guard.entries import EntryKind
from guard.errors import ConfigurationError
from guard.sinks.declaring import declared_sinks
from guard.sinks.rendering import SinkKind
from tests.support.authority import trusting_context

SECRETS = {"bus_secret": "whsec_" + "A" * 44}
EXAMPLE = Path("docs/examples/sinks.toml").read_bytes()
HEAD = '[[sink]]\nname = "s"\ntenant = "acme"\n'
SYSLOG = HEAD + 'kind = "syslog_tls"\nhost = "127.0.0.1"\n'
WEBHOOK = HEAD + 'kind = "cloudevents_webhook"\nsecret = "bus_secret"\n'


def test_the_example_is_read() -> None:
    siem, bus = declared_sinks(EXAMPLE, "sinks.toml", secrets=SECRETS)
    assert (siem.kind, siem.format, siem.customers) == (SinkKind.SYSLOG_TLS, "cef", False)
    assert siem.kinds == (EntryKind.VIEW, EntryKind.REVEAL, EntryKind.REFUSAL, EntryKind.ALERT)
    assert (bus.kind, bus.format, bus.customers) == (
        SinkKind.CLOUDEVENTS_WEBHOOK,
        "cloudevents",
        True,
    )
    assert siem.digest != bus.digest


@pytest.mark.parametrize("words", ['region = "eu"', "bare_close = true", 'vendor = "v"'])
def test_what_a_sink_gets_and_believes_is_in_the_digest(words: str) -> None:
    (plain,) = declared_sinks(SYSLOG.encode(), "f", secrets={})
    (other,) = declared_sinks(f"{SYSLOG}{words}\n".encode(), "f", secrets={})
    assert plain.digest != other.digest
    assert other.region == ("eu" if "region" in words else "")


def test_a_file_sink_needs_its_folder(tmp_path: Path) -> None:
    for folder, is_good in ((tmp_path, True), (tmp_path / "none", False)):
        text = f'{HEAD}kind = "ndjson_file"\npath = "{folder / "log"}"\n'
        if is_good:
            (sink,) = declared_sinks(text.encode(), "f", secrets={})
            assert sink.format == "ndjson"
        else:
            with pytest.raises(ConfigurationError, match="f:5"):
                declared_sinks(text.encode(), "f", secrets={})


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEAD + 'kind = "udp"\n', 4),
        (SYSLOG + 'format = "csv"\n', 6),
        (SYSLOG + 'kinds = "view, glance"\n', 6),
        (SYSLOG + 'colour = "red"\n', 6),
        (SYSLOG + "port = 0\n", 6),
        (SYSLOG + 'ca_file = "/nowhere.pem"\n', 6),
        (SYSLOG + SYSLOG, 7),
        (WEBHOOK + 'url = "http://bus.example.com/x"\n', 6),
        (WEBHOOK + 'url = "https://u:p@bus.example.com/x"\n', 6),
        (WEBHOOK + 'url = "https://bus.example.com:99999/x"\n', 6),
        (WEBHOOK + 'url = "http://intranet/x"\n', 6),
        (HEAD + 'kind = "cloudevents_webhook"\nurl = "https://a.example/x"\nsecret = "no"\n', 6),
        (HEAD.replace('tenant = "acme"\n', "") + 'kind = "syslog_tls"\n', 1),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ConfigurationError, match=f"^f:{line}:"):
        declared_sinks(text.encode(), "f", secrets=SECRETS)


def test_on_this_machine_a_webhook_needs_no_tls() -> None:
    for host in ("127.0.0.1:1", "localhost"):
        text = WEBHOOK + f'url = "http://{host}/x"\n'
        assert len(declared_sinks(text.encode(), "f", secrets=SECRETS)) == 1


def test_a_file_of_authorities_is_trusted_and_nobody_else(tmp_path: Path) -> None:
    (certificate,) = trusting_context().get_ca_certs(binary_form=True)
    file = tmp_path / "ca.pem"
    file.write_text(ssl.DER_cert_to_PEM_cert(certificate))
    assert declared_sinks(f'{SYSLOG}ca_file = "{file}"\n'.encode(), "f", secrets={})
    file.write_text("nothing")
    with pytest.raises(ConfigurationError):
        declared_sinks(f'{SYSLOG}ca_file = "{file}"\n'.encode(), "f", secrets={})
