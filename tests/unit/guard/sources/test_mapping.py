from pathlib import Path

import pytest

from guard.errors import ConfigurationError
from guard.sources.mapping import Child, Column, HttpMapping, SqlMapping, parse_mapping

CRM = Path(__file__).parents[4] / "docs" / "examples" / "crm.toml"

SQL = """\
[[source]]
name = "crm"
kind = "sql"
url_secret = "crm_url"
table = "customers"
key = "id"
[source.fields]
plan = "plan"
[[source.child]]
field = "cards"
table = "cards"
key = "customer_id"
columns = { number = "number" }
"""

HTTP = """\
[[source]]
name = "api"
kind = "http"
base_url = "https://crm.example/v1/"
path = "/customers/{key}"
[source.fields]
tier = "account.tier"
"""


def refused(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        parse_mapping(text.encode(), "m.toml")
    return str(caught.value)


def test_the_shipped_example_maps_the_demonstration_crm() -> None:
    mapping = parse_mapping(CRM.read_bytes(), "crm.toml").sources[0]
    assert isinstance(mapping, SqlMapping)
    assert mapping.fields == {
        *("full_name", "email", "phone", "birth_date", "national_id", "address"),
        *("balance_minor", "iban", "id_document", "notes", "preferences", "plan"),
        *("member_since", "cards", "last_orders"),
    }
    assert mapping.columns["address"] == Column(name="address", is_json=True, where="crm.toml:19")
    assert mapping.children["last_orders"].order == "-placed_on"


def test_a_sql_source_has_sensible_defaults() -> None:
    mappings = parse_mapping(SQL.encode(), "m.toml")
    assert mappings.name == "customers"
    assert mappings.deadline_s == 2.0
    source = mappings.sources[0]
    assert isinstance(source, SqlMapping)
    assert (source.readers, source.statement_timeout_s, source.deadline_s) == (2, 1.0, 2.0)
    assert source.key == Column(name="id", is_json=False, where="m.toml:6")
    assert not source.is_optional
    assert source.children == {
        "cards": Child(
            table="cards",
            key="customer_id",
            columns={"number": Column(name="number", is_json=False, where="m.toml:13")},
            order="",
            limit=100,
            where="m.toml:11",
        )
    }


def test_an_http_source_has_sensible_defaults() -> None:
    source = parse_mapping(HTTP.encode(), "m.toml").sources[0]
    assert isinstance(source, HttpMapping)
    assert source.base_url == "https://crm.example/v1"
    assert source.places == {"tier": "account.tier"}
    assert (source.max_bytes, source.check_path, source.token_secret) == (262_144, "/", "")
    assert source.fields == {"tier"}


def test_several_sources_make_one_profile() -> None:
    mappings = parse_mapping(
        f'name = "profile"\ndeadline_ms = 500\n{SQL}{HTTP}'.replace(
            'kind = "http"', 'kind = "http"\noptional = true'
        ).encode(),
        "m.toml",
    )
    assert mappings.name == "profile"
    assert mappings.deadline_s == 0.5
    assert [source.is_optional for source in mappings.sources] == [False, True]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('kind = "sql"', 'kind = "csv"', "m.toml:3: kind `csv` is unknown"),
        ('kind = "sql"\n', "", "m.toml:1: `kind` is missing"),
        ('name = "crm"', 'name = "CRM 1"', "m.toml:2: `name` must be lower-case"),
        ('url_secret = "crm_url"\n', "", "m.toml:1: give either `url` or `url_secret`"),
        ('"crm_url"', '"crm_url"\nurl = "sqlite:///x"', "m.toml:1: give either `url`"),
        (
            'url_secret = "crm_url"',
            'url = "postgresql://u:hunter2@h/d"',
            "m.toml:4: `url` holds a password",
        ),
        ('table = "customers"\n', "", "m.toml:1: `table` is missing"),
        ('key = "id"', 'key = "id"\nkeys = 1', "m.toml:7: unknown setting `keys`"),
        ('plan = "plan"', "plan = 5", "m.toml:8: `plan` must be a text"),
        ('plan = "plan"', '"pl an" = "plan"', "m.toml:8: `pl an` is no field name"),
        ('plan = "plan"', "plan = { json = true }", "m.toml:8: `column` is missing"),
        (
            'plan = "plan"',
            'plan = { column = "plan", jsno = true }',
            "m.toml:8: unknown setting `jsno`",
        ),
        ('field = "cards"', 'field = "plan"', "m.toml:10: field `plan` is there twice"),
        ('field = "cards"', 'field = "cards[]"', "m.toml:10: `cards[]` is no field name"),
        ('columns = { number = "number" }', "", "m.toml:9: no `columns`"),
        ('key = "customer_id"', 'key = "customer_id"\nlimit = 0', "m.toml:13: `limit` must be"),
        ('key = "customer_id"', 'key = "customer_id"\nsort = "x"', "m.toml:13: unknown setting"),
        ('kind = "sql"', 'kind = "sql"\noptional = true', "m.toml:4: the first source says who"),
        ("[[source]]", 'nmae = "x"\n[[source]]', "m.toml:1: unknown setting `nmae`"),
    ],
)
def test_what_is_wrong_in_a_sql_source_is_named_with_its_line(
    old: str, new: str, message: str
) -> None:
    assert refused(SQL.replace(old, new, 1)).startswith(message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("https://crm", "http://crm", "m.toml:4: `base_url` must begin with `https://`"),
        ("https://crm", "ftp://crm", "m.toml:4: `base_url` must begin with `https://`"),
        ("https://crm", "https://u:hunter2@crm", "m.toml:4: `base_url` must be scheme"),
        ("/v1/", "/v1/?a=b", "m.toml:4: `base_url` must be scheme"),
        ("/customers/{key}", "/customers", "m.toml:5: `path` must begin with `/`"),
        ("/customers/{key}", "customers/{key}", "m.toml:5: `path` must begin with `/`"),
        ("account.tier", "account..tier", "m.toml:7: `account..tier` is no place"),
        ('kind = "http"', 'kind = "http"\nurl = "x"', "m.toml:4: unknown setting `url`"),
        ('kind = "http"', 'kind = "http"\nmax_bytes = 1', "m.toml:4: `max_bytes` must be"),
    ],
)
def test_what_is_wrong_in_an_http_source_is_named_with_its_line(
    old: str, new: str, message: str
) -> None:
    told = refused(HTTP.replace(old, new, 1))
    assert told.startswith(message)
    assert "hunter2" not in told


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_plain_http_is_for_this_machine(host: str) -> None:
    text = HTTP.replace("https://crm.example", f"http://{host}:8080")
    assert parse_mapping(text.encode(), "m.toml").sources


def test_names_and_fields_have_one_owner() -> None:
    assert refused(SQL + SQL).startswith("m.toml:2: source `crm` is there twice")
    both = SQL + HTTP.replace("tier =", "plan =")
    assert refused(both).startswith("m.toml:14: field `plan` belongs to `crm`")


def test_a_file_without_a_source_is_refused() -> None:
    assert refused("") == "m.toml:1: no source, add a `[[source]]`"
