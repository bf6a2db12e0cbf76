"""Fixtures of the functional tests: what the service logs goes into a stream that is kept."""

import io
import logging
from collections.abc import Iterator

import pytest
import structlog

from api import logs


@pytest.fixture(autouse=True)
def log_stream() -> Iterator[io.StringIO]:
    """All that the service, its worker and the libraries below them log, as it would be written."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    logs.configure("debug", stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
