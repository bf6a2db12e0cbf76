import pytest

from api.cli.instants import instant
from guard.clock import SECOND
from guard.errors import InvalidRequestError


def test_a_time_is_typed_as_the_standard_writes_it() -> None:
    assert instant("1970-01-01T00:00:01Z") == SECOND
    assert instant("") is None
    assert instant(None) is None
    with pytest.raises(InvalidRequestError, match="no RFC 3339 time"):
        instant("yesterday")
