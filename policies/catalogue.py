"""The field catalogue: the class of each field of a record, and how it is masked.

A path is dotted, and a list is marked where it stands: `address.city`, `cards[].number`. Three
rules hold:

* a path that is not in the catalogue has no rule, and what has no rule is withheld;
* a mask names its transform and the parameters that matter, so that the digest of the bundle says
  what was shown; `keep_last@1` pins a version of the transform;
* a mask cannot be loosened into showing the whole value: `min_hidden` is at least 4.

What a transform does with a value is `guard.masking`'s business; this module only names it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from policies.signatures import TRANSFORMS, Allowed, Param
from policies.toml_source import TomlSource

_TRANSFORM = re.compile(r"([a-z][a-z0-9_]*)(@[1-9]\d*)?")
_PATH = re.compile(r"[A-Za-z_]\w*(\[\])?(\.[A-Za-z_]\w*(\[\])?)*", re.ASCII)
_CLASS = re.compile(r"[a-z][a-z0-9_]{0,31}")
_RULE_KEYS = frozenset({"class", "mask", "sensitive", "verify", "identifier", "contact"})

# What a parameter must look like that is no number, word or flag.
_PATTERNS = {"edges": "give whole numbers with commas between them"}

# What a caller may be asked for and told yes or no; never shown. `full` is the whole value, `year`
# that of a date, `last4` and `postcode_end` the last four and three letters and digits.
VERIFY_PARTS = ("full", "last4", "postcode_end", "year")
# By which exact value a customer may be found.
IDENTIFIERS = ("account", "email", "phone")
# By which values together: each of many people has the name, and the day.
NAME, BIRTH_DATE = "name", "birth_date"
_IDENTIFYING = (*IDENTIFIERS, NAME, BIRTH_DATE)
# By which channel a customer may be reached without the address being shown.
CONTACTS = ("call", "mail", "message")


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformSpec:
    """A transform by name, with the parameters that the bundle gives."""

    name: str
    params: Mapping[str, Param]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """What the catalogue says of one field.

    `mask` is how form MASK looks. `is_sensitive` marks what detectors count as a sensitive field.
    `verify` lists the parts of `VERIFY_PARTS` that may be checked against what a caller says.
    `identifier` says as what the exact value finds its customer (a `name` and a `birth_date` do so
    together), `contact` for which channel it is the address; None: it is neither.
    """

    path: str
    cls: str
    mask: TransformSpec
    is_sensitive: bool
    verify: tuple[str, ...] = ()
    identifier: str | None = None
    contact: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """All fields that may ever be shown, by path."""

    fields: Mapping[str, FieldRule]

    def rule(self, path: str) -> FieldRule | None:
        """The rule of a field; None means that the field is withheld."""
        return self.fields.get(path)

    @property
    def classes(self) -> tuple[str, ...]:
        """The field classes, by name."""
        return tuple(sorted({rule.cls for rule in self.fields.values()}))


def parse_catalogue(toml_bytes: bytes, file_name: str) -> Catalogue:
    """Read a catalogue from the text of `fields.toml`.

    Raises:
        BundleError: The file is not TOML, or a rule is incomplete, unknown or contradicts another.
    """
    source = TomlSource.parse(toml_bytes, file_name)
    source.expect_keys(source.root, frozenset({"fields"}), 1)
    table = source.root.get("fields")
    if not isinstance(table, dict) or not table:
        source.fail(1, "no fields: add a `[fields]` table with one line per field")
    rules = {path: _rule(source, path, value) for path, value in table.items()}
    _refuse_overlaps(source, tuple(rules))
    _refuse_two_addresses(source, tuple(rules.values()))
    _refuse_half_an_identifier(source, tuple(rules.values()))
    return Catalogue(fields=MappingProxyType(rules))


def _refuse_half_an_identifier(source: TomlSource, rules: tuple[FieldRule, ...]) -> None:
    for half, other in ((NAME, BIRTH_DATE), (BIRTH_DATE, NAME)):
        alone = next((rule for rule in rules if rule.identifier == half), None)
        if alone is not None and all(rule.identifier != other for rule in rules):
            source.fail(
                source.line_of_key(alone.path),
                f"`{alone.path}` is a `{half}`, which finds nobody by itself: mark a field as"
                f" `{other}` too",
            )


def _rule(source: TomlSource, path: str, value: object) -> FieldRule:
    line = source.line_of_key(path)
    if not _PATH.fullmatch(path):
        source.fail(line, f"`{path}` is no path: write it as `address.city` or `cards[].number`")
    if not isinstance(value, dict) or "class" not in value:
        source.fail(line, f"field `{path}` has no class: write `{{ class = …, mask = … }}`")
    source.expect_keys(value, _RULE_KEYS, line)
    cls, sensitive = value["class"], value.get("sensitive", False)
    if not isinstance(cls, str) or not _CLASS.fullmatch(cls):
        source.fail(line, f"class of `{path}` is no name: use lower-case letters, digits and `_`")
    if not isinstance(sensitive, bool):
        source.fail(line, f"`sensitive` of `{path}` must be true or false")
    return FieldRule(
        path=path,
        cls=cls,
        mask=_mask(source, path, value.get("mask"), line),
        is_sensitive=sensitive,
        verify=_verify(source, path, value.get("verify", []), line),
        identifier=_word(source, path, ("identifier", value.get("identifier")), _IDENTIFYING),
        contact=_word(source, path, ("contact", value.get("contact")), CONTACTS),
    )


def _verify(source: TomlSource, path: str, parts: object, line: int) -> tuple[str, ...]:
    known = ", ".join(VERIFY_PARTS)
    if not isinstance(parts, list) or not all(part in VERIFY_PARTS for part in parts):
        source.fail(line, f"`verify` of `{path}` is off: list some of {known}")
    if len(set(parts)) != len(parts):
        source.fail(line, f"`verify` of `{path}` names a part twice: keep one of them")
    return tuple(parts)


def _word(
    source: TomlSource, path: str, said: tuple[str, object], words: tuple[str, ...]
) -> str | None:
    key, value = said
    if value is not None and (not isinstance(value, str) or value not in words):
        known = ", ".join(words)
        source.fail(source.line_of_key(path), f"`{key}` of `{path}` is unknown: use one of {known}")
    return value


def _refuse_two_addresses(source: TomlSource, rules: tuple[FieldRule, ...]) -> None:
    """A channel has one address: which of two a message would go to would be a guess."""
    taken: dict[str, str] = {}
    for rule in rules:
        if rule.contact is not None and rule.contact in taken:
            line = source.line_of_key(rule.path)
            source.fail(
                line,
                f"`{rule.path}` and `{taken[rule.contact]}` are both the address of"
                f" `{rule.contact}`: keep one of them",
            )
        if rule.contact is not None:
            taken[rule.contact] = rule.path


def _mask(source: TomlSource, path: str, value: object, line: int) -> TransformSpec:
    table = {"transform": value} if isinstance(value, str) else value
    if not isinstance(table, dict):
        source.fail(line, f"field `{path}` has no mask: name a transform, `redact` if in doubt")
    name = table.get("transform")
    named = _TRANSFORM.fullmatch(name) if isinstance(name, str) else None
    if not isinstance(name, str) or named is None or named.group(1) not in TRANSFORMS:
        known = ", ".join(sorted(TRANSFORMS))
        source.fail(line, f"mask of `{path}` is unknown: use one of {known}")
    signature = TRANSFORMS[named.group(1)]
    source.expect_keys(table, frozenset({"transform", *signature.params}), line)
    for choices in signature.required:
        if not any(param in table for param in choices):
            wanted = "` or `".join(choices)
            source.fail(line, f"mask `{name}` of `{path}` lacks a parameter: add `{wanted}`")
    given = {param: setting for param, setting in table.items() if param != "transform"}
    for param, setting in given.items():
        allowed = signature.params[param]
        if not _fits(setting, allowed):
            source.fail(
                line, f"`{param}` of mask `{name}` of `{path}` is off: {_describe(param, allowed)}"
            )
    return TransformSpec(name=name, params=MappingProxyType(given))


def _fits(value: object, allowed: Allowed) -> bool:
    if isinstance(allowed, type):
        return isinstance(value, bool)
    if isinstance(allowed, re.Pattern):
        return isinstance(value, str) and allowed.fullmatch(value) is not None
    # `True in range(3)` and `2.0 in range(3)` hold in Python; neither is a whole number here.
    return isinstance(value, str | int) and not isinstance(value, bool) and value in allowed


def _describe(param: str, allowed: Allowed) -> str:
    if isinstance(allowed, type):
        return "give true or false"
    if isinstance(allowed, re.Pattern):
        return _PATTERNS.get(param, "give printable text, not too long")
    if isinstance(allowed, range):
        return f"give a whole number from {allowed[0]} to {allowed[-1]}"
    return f"give one of {', '.join(allowed)}"


def _refuse_overlaps(source: TomlSource, paths: tuple[str, ...]) -> None:
    """A field is a value or a container, never both: which rule would win would be a guess."""
    plain = {path.replace("[]", ""): path for path in paths}
    for path in paths:
        bare = path.replace("[]", "")
        if plain[bare] != path:
            line = source.line_of_key(plain[bare])
            source.fail(line, f"`{plain[bare]}` and `{path}` are one field: keep one of them")
        parts = bare.split(".")
        for depth in range(1, len(parts)):
            parent = plain.get(".".join(parts[:depth]))
            if parent is not None:
                line = source.line_of_key(parent)
                source.fail(line, f"`{parent}` is a value and contains `{path}`: keep one of them")
