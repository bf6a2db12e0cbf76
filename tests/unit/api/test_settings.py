from pathlib import Path

import pytest
from pydantic import ValidationError

from api.settings import Settings, load_settings
from guard.errors import ConfigurationError


def test_the_defaults_are_safe() -> None:
    settings = load_settings({})
    assert settings.host == "127.0.0.1"
    assert not settings.demo
    assert settings.max_body_bytes == 65536


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        load_settings({}).port = 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "zqx-no-port"),
        ("PORT", "70000"),
        ("ADMIT_DEADLINE_S", "0"),
        ("LOG_LEVEL", "zqx-loud"),
        ("JWKS_URL", "http://zqx.example/keys"),
        ("WORKER", "zqx-maybe"),
        ("ORIGIN", ""),
    ],
)
def test_an_error_names_the_variable_and_not_the_value(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"RECORDGUARD_{name}: ") as caught:
        load_settings({f"RECORDGUARD_{name}": value})
    assert "zqx" not in str(caught.value)


def test_only_the_given_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECORDGUARD_PORT", "9999")
    assert load_settings({}).port == 8080
    assert load_settings().port == 9999
    assert Settings().port == 8080


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "dsn"
    path.write_text("postgresql://u:p@db/x\n")
    settings = load_settings({"RECORDGUARD_DATABASE_URL_FILE": str(path)})
    assert settings.database_url == "postgresql://u:p@db/x"


def test_a_secret_comes_from_one_place_only(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not both"):
        load_settings(
            {
                "RECORDGUARD_KMS_URI": "file:x",
                "RECORDGUARD_KMS_URI_FILE": str(tmp_path / "x"),
            }
        )


@pytest.mark.parametrize("content", [None, b"x" * 9000, b"\xff"])
def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="RECORDGUARD_KMS_URI_FILE"):
        load_settings({"RECORDGUARD_KMS_URI_FILE": str(path)})


def test_the_demo_stays_on_loopback() -> None:
    assert load_settings({"RECORDGUARD_DEMO": "true"}).demo
    with pytest.raises(ConfigurationError, match="RECORDGUARD_DEMO"):
        load_settings({"RECORDGUARD_DEMO": "true", "RECORDGUARD_HOST": "0.0.0.0"})  # noqa: S104 - refused


@pytest.mark.parametrize("name", ["JWKS_URI", "PORT_FILE", "DEMO_MODE", ""])
def test_a_misspelt_variable_is_named_and_not_passed_over(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no such setting: RECORDGUARD_{name};") as caught:
        load_settings({f"RECORDGUARD_{name}": "zqx", "RECORDGUARD_PORT": "1"})
    assert "zqx" not in str(caught.value)


@pytest.mark.parametrize("name", ["RECORDGUARD_TEST_PG_DSN", "RECORDGUARD_FULL", "OTHER_PORT"])
def test_variables_of_the_test_suite_and_of_others_are_passed_over(name: str) -> None:
    assert load_settings({name: "1"}) == load_settings({})


def test_an_empty_path_is_none() -> None:
    assert load_settings({"RECORDGUARD_POLICY_DIR": ""}).policy_dir is None


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://idp.example/keys",
        "http://127.0.0.1:9000/keys",
        "http://localhost/keys",
        "http://[::1]:9000/keys",
    ],
)
def test_keys_come_over_https_or_from_this_machine(url: str) -> None:
    assert load_settings({"RECORDGUARD_JWKS_URL": url}).jwks_url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example/keys",
        "http://localhost.evil.example/keys",
        "http://127.0.0.1.evil.example/keys",
        "http://127.0.0.1@evil.example/keys",
        "https:///keys",
        "file:///etc/passwd",
        "//idp.example/keys",
        "http://[::1/keys",
    ],
)
def test_keys_never_come_in_the_clear_from_elsewhere(url: str) -> None:
    with pytest.raises(ConfigurationError, match="RECORDGUARD_JWKS_URL"):
        load_settings({"RECORDGUARD_JWKS_URL": url})
