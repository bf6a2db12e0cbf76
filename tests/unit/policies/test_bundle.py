import hashlib
import re

import pytest

from policies.bundle import digest_of, load_bundle
from policies.errors import BundleError
from tests.support.policy_bundles import SMALL_CEDAR, default_files, small_files


def test_the_shipped_bundle_loads() -> None:
    bundle = load_bundle(default_files())

    assert bundle.classes == bundle.catalogue.classes
    assert len({policy.id for policy in bundle.policies}) == len(bundle.policies)
    assert "explained-only" in {policy.id for policy in bundle.policies}
    assert bundle.files == default_files()


def test_a_bundle_is_checked_once_and_again_when_a_byte_differs() -> None:
    kept = load_bundle(default_files())
    assert load_bundle(dict(reversed(default_files().items()))) is kept
    files = default_files()
    files["quotas.toml"] += b"\n"
    assert load_bundle(files).digest == digest_of(files) != kept.digest


def test_policies_stand_in_the_order_of_file_and_line() -> None:
    policies = load_bundle(default_files()).policies

    assert [(p.file, p.line) for p in policies] == sorted((p.file, p.line) for p in policies)


def test_the_digest_is_that_of_names_and_contents_behind_their_lengths() -> None:
    expected = hashlib.sha256(
        b"\0\0\0\0\0\0\0\x01a" + b"\0\0\0\0\0\0\0\x02xy" + b"\0\0\0\0\0\0\0\x01b" + b"\0" * 8
    ).hexdigest()

    assert digest_of({"b": b"", "a": b"xy"}) == expected
    assert load_bundle(small_files()).digest == digest_of(small_files())


@pytest.mark.parametrize(
    "other", [{"a": b"xyb", "": b""}, {"ax": b"y", "b": b""}, {"a": b"xy"}, {"a": b"", "b": b"xy"}]
)
def test_other_files_have_another_digest(other: dict[str, bytes]) -> None:
    assert digest_of(other) != digest_of({"a": b"xy", "b": b""})


@pytest.mark.parametrize("name", ["schema.cedarschema", "fields.toml", "quotas.toml"])
def test_a_missing_file_is_named(name: str) -> None:
    files = small_files()
    del files[name]

    with pytest.raises(BundleError, match=rf"^{re.escape(name)}:1: the file is missing"):
        load_bundle(files)


@pytest.mark.parametrize("name", ["README.md", "admit.cedar.bak", "old.toml"])
def test_a_file_that_would_do_nothing_is_refused(name: str) -> None:
    with pytest.raises(BundleError, match=rf"^{re.escape(name)}:1: not a file of a bundle"):
        load_bundle({**small_files(), name: b""})


def test_a_bundle_without_policies_is_refused() -> None:
    with pytest.raises(BundleError, match=r"^\*\.cedar:1: no policies"):
        load_bundle(small_files(cedar="// nothing\n"))


def test_an_id_that_is_taken_is_refused_where_it_is_taken_again() -> None:
    files = {**small_files(), "z.cedar": b"\n" + SMALL_CEDAR.encode()}

    with pytest.raises(
        BundleError, match=r"^z\.cedar:2: `@id` `let-in` is taken by small\.cedar:1: choose"
    ):
        load_bundle(files)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ('"related", ', "", 'Link::"related"'),
        ("  customer_present: Bool\n", "  customer_present: Bool,\n  mood: Bool\n", "mood"),
        ("fresh_mfa: Bool,", "", "fresh_mfa"),
        ('"contact", ', "", 'FieldClass::"contact"'),
        ('enum ["view", "reveal"', 'enum ["look", "reveal"', 'Request::"view"'),
    ],
)
def test_a_schema_that_lacks_a_fact_or_a_class_is_refused(old: str, new: str, found: str) -> None:
    schema = default_files()["schema.cedarschema"].decode()
    assert old in schema
    any_class = SMALL_CEDAR.replace('== FieldClass::"contact"', "")

    with pytest.raises(BundleError, match=r"^schema\.cedarschema:1: the schema does not") as error:
        load_bundle(small_files(schema=schema.replace(old, new), cedar=any_class))
    assert found in error.value.message
