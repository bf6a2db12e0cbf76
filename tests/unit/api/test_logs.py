import io
import json
import logging
from collections.abc import Callable

import pytest
import structlog

from api import logs
from api.logs import MAX_VALUE, place_of


def test_a_key_that_is_not_allowed_is_dropped_and_counted(log_lines: io.StringIO) -> None:
    structlog.get_logger().info("view.permitted", entry=4, email="a@b.example", customer="x")
    line = json.loads(log_lines.getvalue())
    assert line["entry"] == 4
    assert line["dropped"] == 2
    assert "a@b.example" not in log_lines.getvalue()


def test_an_event_is_a_name_and_not_a_sentence(log_lines: io.StringIO) -> None:
    structlog.get_logger().info("customer 4111111111111111 was viewed")
    assert json.loads(log_lines.getvalue())["event"] == "log.unnamed"


def test_a_long_value_is_cut(log_lines: io.StringIO) -> None:
    structlog.get_logger().info("a.b", outcome="x" * 1000)
    assert len(json.loads(log_lines.getvalue())["outcome"]) == MAX_VALUE + 1


def test_an_exception_that_was_never_raised_has_no_place() -> None:
    assert place_of(ValueError()) == "unknown"


def test_a_line_break_cannot_forge_a_line(log_lines: io.StringIO) -> None:
    structlog.get_logger().info("a.b", outcome='x\n{"event": "forged"}')
    assert len(log_lines.getvalue().splitlines()) == 1


def test_an_error_in_hand_is_named_by_its_class_and_place(log_lines: io.StringIO) -> None:
    try:
        raise ValueError("a@b.example")  # noqa: TRY301 - to have one in hand
    except ValueError:
        structlog.get_logger().error("a.b", exc_info=True)
    assert "ValueError" in log_lines.getvalue()
    assert "a@b.example" not in log_lines.getvalue()


def test_an_error_of_another_place_is_named_too(log_lines: io.StringIO) -> None:
    error = ValueError("a@b.example")
    structlog.get_logger().error("a.b", exc_info=(ValueError, error, None))
    assert "ValueError" in log_lines.getvalue()
    assert "a@b.example" not in log_lines.getvalue()


def test_alembic_says_nothing_before_an_error_of_the_tables(log_lines: io.StringIO) -> None:
    for name in ("alembic.runtime.migration", "alembic.autogenerate.compare"):
        logging.getLogger(name).info("Context impl SQLiteImpl.")
    assert log_lines.getvalue() == ""
    logging.getLogger("alembic").warning("x")
    assert json.loads(log_lines.getvalue())["logger"] == "alembic"


def test_without_an_error_in_hand_none_is_named(log_lines: io.StringIO) -> None:
    structlog.get_logger().error("a.b", exc_info=True)
    assert "error" not in json.loads(log_lines.getvalue())


class FullDisk(io.StringIO):
    def write(self, text: str, /) -> int:
        raise OSError(28, "No space left on device", text)


def closed_stream() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [FullDisk, closed_stream])
def test_a_line_that_cannot_be_written_disturbs_nobody(
    stream: Callable[[], io.StringIO], log_lines: io.StringIO
) -> None:
    logs.configure("info", stream())
    structlog.get_logger().error("http.unhandled", status=500)
    logging.getLogger("library").error("as well")
    assert log_lines.getvalue() == ""
