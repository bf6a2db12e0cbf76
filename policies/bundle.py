"""A policy bundle: all the files that decide, checked as one, named by the digest of their bytes.

    *.cedar              who may look, and how a class of fields looks
    schema.cedarschema   the words that policies may use
    fields.toml          the field catalogue
    quotas.toml          the budgets

Loading is pure: the caller reads the files. A bundle that loads can be decided on: its policies
parse and fit the schema, their ids are unique, the schema knows every fact and every class. What is
merely unwise is `policies.lint`'s business.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import cedarpy
from cedarpy import pst

from policies.budgets import parse_budgets
from policies.catalogue import Catalogue, parse_catalogue
from policies.cedar_text import Policy, read_policies, read_schema
from policies.errors import BundleError
from policies.facts import admit_request, probes, show_request
from policies.model import Act, Budget

CEDAR_SUFFIX = ".cedar"
SCHEMA_FILE = "schema.cedarschema"
FIELDS_FILE = "fields.toml"
QUOTAS_FILE = "quotas.toml"
REQUIRED_FILES = (SCHEMA_FILE, FIELDS_FILE, QUOTAS_FILE)

# No facts refer to stored entities, so the engine's entity store stays empty.
_NO_ENTITIES = "[]"
# A bundle is a function of its bytes, and takes a quarter of a second to check. The one in force, a
# candidate and what a backtest or a report looks back at are asked for again and again.
_KEPT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A checked bundle. `policies` stand in the order of file name, then line."""

    digest: str
    files: Mapping[str, bytes]
    catalogue: Catalogue
    budgets: tuple[Budget, ...]
    policies: tuple[Policy, ...]
    policy_set: cedarpy.PolicySet
    entities: cedarpy.Entities
    schema: cedarpy.Schema

    @property
    def classes(self) -> tuple[str, ...]:
        """The field classes, by name."""
        return self.catalogue.classes


def digest_of(files: Mapping[str, bytes]) -> str:
    """Hex SHA-256 over the files in name order, each name and content behind its length.

    The lengths (8 bytes, big-endian) keep two different sets of files from having equal bytes.
    """
    digest = hashlib.sha256()
    for name in sorted(files):
        for part in (name.encode(), files[name]):
            digest.update(len(part).to_bytes(8))
            digest.update(part)
    return digest.hexdigest()


def load_bundle(files: Mapping[str, bytes]) -> Bundle:
    """Check a bundle and prepare it for deciding; the last few that were checked are kept.

    Args:
        files: The content of each file by its name, without a folder.

    Raises:
        BundleError: Something cannot be used; names the file and the line.
    """
    return _checked(tuple(sorted(files.items())))


@lru_cache(maxsize=_KEPT)
def _checked(content: tuple[tuple[str, bytes], ...]) -> Bundle:
    files = dict(content)
    _refuse_wrong_files(files)
    schema = read_schema(files[SCHEMA_FILE], SCHEMA_FILE)
    catalogue = parse_catalogue(files[FIELDS_FILE], FIELDS_FILE)
    policies = _policies(files, schema)
    bundle = Bundle(
        digest=digest_of(files),
        files=MappingProxyType(files),
        catalogue=catalogue,
        budgets=parse_budgets(files[QUOTAS_FILE], QUOTAS_FILE),
        policies=policies,
        policy_set=_policy_set(policies),
        entities=cedarpy.Entities.from_json_str(_NO_ENTITIES),
        schema=schema,
    )
    _refuse_narrow_schema(bundle)
    return bundle


def _refuse_wrong_files(files: Mapping[str, bytes]) -> None:
    for name in REQUIRED_FILES:
        if name not in files:
            raise BundleError(name, 1, "the file is missing: add it to the bundle")
    for name in sorted(files):
        if name not in REQUIRED_FILES and not name.endswith(CEDAR_SUFFIX):
            # Part of the digest, yet without any effect: it would only pretend to be policy.
            raise BundleError(name, 1, "not a file of a bundle: remove it")


def _policies(files: Mapping[str, bytes], schema: cedarpy.Schema) -> tuple[Policy, ...]:
    names = sorted(name for name in files if name.endswith(CEDAR_SUFFIX))
    policies = [policy for name in names for policy in read_policies(files[name], name, schema)]
    first: dict[str, Policy] = {}
    for policy in policies:
        other = first.setdefault(policy.id, policy)
        if other is not policy:
            message = f"`@id` `{policy.id}` is taken by {other.file}:{other.line}: choose another"
            raise BundleError(policy.file, policy.line, message)
    if not policies:
        raise BundleError(f"*{CEDAR_SUFFIX}", 1, "no policies: nobody could see anything")
    return tuple(policies)


def _policy_set(policies: tuple[Policy, ...]) -> cedarpy.PolicySet:
    # From nodes and not from text: Cedar then reports our ids instead of positions in the text.
    return cedarpy.PolicySet.from_pst(
        pst.PolicySet(
            templates={},
            static_policies={policy.id: policy.node for policy in policies},
            template_links=(),
        )
    )


def _refuse_narrow_schema(bundle: Bundle) -> None:
    """Ask about every value of every fact, and about every class: the schema must know them all."""
    facts = probes()
    admits = [admit_request(probe, act) for probe in facts for act in Act]
    shows = [
        show_request(facts[0], cls, act) for cls in bundle.classes for act in (Act.VIEW, Act.REVEAL)
    ]
    results = cedarpy.is_authorized_batch(
        [*admits, *shows], bundle.policy_set, bundle.entities, bundle.schema
    )
    for result in results:
        if result.decision is cedarpy.Decision.NoDecision:
            found = "; ".join(result.diagnostics.errors)
            message = f"the schema does not fit the facts or the field classes: {found}"
            raise BundleError(SCHEMA_FILE, 1, message)
