"""Opens what the settings name in files of the operator: sources, contacts, retention."""

from api.settings import Settings
from guard.contacts import Contacts, open_contacts
from guard.errors import ConfigurationError
from guard.forgetting import (
    RetentionRules,
    load_retention,
)
from guard.ports import RecordSource
from guard.sources import open_source

WRITER_BYTES = 8
# Where others may write too: one that says nothing for so many counts is taken for dead.
SILENT_COUNTS = 3


def open_sources(settings: Settings) -> dict[str, RecordSource]:
    """The record sources of the mapping file, by name; none without one.

    Raises:
        ConfigurationError: A file cannot be read, or makes no sense.
    """
    if settings.mapping_file is None:
        return {}
    try:
        mapping = settings.mapping_file.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"mapping file {settings.mapping_file}: {error.strerror}"
        ) from None
    source = open_source(mapping, str(settings.mapping_file), secrets=open_secrets(settings))
    return {source.name: source}


def open_retention(settings: Settings) -> RetentionRules:
    """How long details live, as the operator's file says.

    Raises:
        ConfigurationError: The file cannot be read, or makes no sense.
    """
    file = settings.retention_file
    if file is None:
        return RetentionRules()
    try:
        document = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"retention file {file}: {error.strerror}") from None
    return load_retention(document, str(file))


def contacts_of(settings: Settings) -> Contacts:
    """The channels of the contacts file; none without one.

    Raises:
        ConfigurationError: A file cannot be read, or makes no sense.
    """
    file = settings.contacts_file
    if file is None:
        return Contacts(channels={})
    try:
        document = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"contacts file {file}: {error.strerror}") from None
    return open_contacts(document, str(file), secrets=open_secrets(settings))


def open_secrets(settings: Settings) -> dict[str, str]:
    """What the mapping and the contacts file name as secrets: one file each in the folder."""
    if settings.secrets_dir is None:
        return {}
    try:
        files = [path for path in settings.secrets_dir.iterdir() if path.is_file()]
        return {path.name: path.read_text().strip() for path in files}
    except OSError as error:
        raise ConfigurationError(f"secrets folder: {error.strerror}") from None
