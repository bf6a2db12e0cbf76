"""From a mapping file and secrets to a source that can be read."""

from collections.abc import Mapping

from guard.errors import ConfigurationError
from guard.ports import RecordSource
from guard.sources.composite import CompositeSource, Part
from guard.sources.http_api import HttpSource
from guard.sources.mapping import HttpMapping, SourceMapping, parse_mapping
from guard.sources.sql import SqlSource


def open_source(
    mapping_bytes: bytes, file_name: str, *, secrets: Mapping[str, str]
) -> RecordSource:
    """Open what a mapping file describes: its one source, or all of them as one.

    Tables and columns are checked at once where the database answers, and before the first read
    where it does not, so that a database that is down delays nothing but its own records.

    Raises:
        ConfigurationError: The file, a secret or a column is not as it must be; names the line.
    """
    mappings = parse_mapping(mapping_bytes, file_name)
    opened = [_open(mapping, secrets) for mapping in mappings.sources]
    if len(opened) == 1:
        return opened[0]
    parts = [
        Part(source=source, fields=mapping.fields, is_optional=mapping.is_optional)
        for source, mapping in zip(opened, mappings.sources, strict=True)
    ]
    return CompositeSource(mappings.name, parts, deadline_s=mappings.deadline_s)


def _open(mapping: SourceMapping, secrets: Mapping[str, str]) -> RecordSource:
    if isinstance(mapping, HttpMapping):
        named = mapping.token_secret
        token = _secret(named, mapping.where, secrets) if named else None
        return HttpSource(mapping, token=token)
    url = mapping.url or _secret(mapping.url_secret, mapping.where, secrets)
    return SqlSource(mapping, url=url)


def _secret(name: str, where: str, secrets: Mapping[str, str]) -> str:
    value = secrets.get(name)
    if not value:
        raise ConfigurationError(f"{where}: secret `{name}` is not set, provide it at start")
    return value
