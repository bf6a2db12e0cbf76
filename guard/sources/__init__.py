"""Sources: the systems that hold customer records, behind `guard.ports.RecordSource`.

`open_source` reads a mapping file; the classes are for wiring by hand. A source gives raw records
to the broker and to nobody else; it selects the asked fields only, and no error of a source holds
a value, a key or a statement.
"""

from guard.sources.composite import ComposedRecord, CompositeSource, Part
from guard.sources.http_api import HttpSource
from guard.sources.mapping import HttpMapping, Mappings, SqlMapping, parse_mapping
from guard.sources.memory import MemorySource
from guard.sources.opening import open_source
from guard.sources.sql import SqlSource

__all__ = [
    "ComposedRecord",
    "CompositeSource",
    "HttpMapping",
    "HttpSource",
    "Mappings",
    "MemorySource",
    "Part",
    "SqlMapping",
    "SqlSource",
    "open_source",
    "parse_mapping",
]
