"""Fixtures of the functional tests: what the service logs goes into a stream that is kept."""

import io

import pytest

from api import logs


@pytest.fixture(autouse=True)
def log_stream() -> io.StringIO:
    """All that the service, its worker and the libraries below them log, as it would be written."""
    stream = io.StringIO()
    logs.configure("debug", stream)
    return stream
