import json

import pytest

from api.cli.outcome import Exit, exit_code, one_line_errors, run_async, say
from detectors.errors import FormatError
from guard.errors import (
    AccessDeniedError,
    ConfigurationError,
    InvalidRequestError,
    KeyUnavailableError,
    NotFoundError,
    ProofError,
    StoreUnavailableError,
)
from policies.errors import BundleError, FactsError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("x"), 78),
        (BundleError("a.cedar", 3, "x"), 78),
        (ProofError("x"), 1),
        (StoreUnavailableError("x"), 69),
        (KeyUnavailableError("x"), 69),
        (AccessDeniedError("x"), 77),
        (NotFoundError("x"), 65),
        (InvalidRequestError("x"), 65),
        (FactsError("x"), 65),
        (FormatError("x"), 65),
    ],
)
def test_an_expected_failure_has_its_exit_code(error: Exception, code: int) -> None:
    assert exit_code(error) == code


def test_an_expected_failure_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end, one_line_errors():
        raise ConfigurationError("the tables are missing, run `guard migrate`")
    assert end.value.code == Exit.CONFIG
    assert capsys.readouterr().err == "error: the tables are missing, run `guard migrate`\n"


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), one_line_errors():
        raise ZeroDivisionError


def test_the_same_is_said_in_words_or_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    say({"size": 3}, ["three entries"], as_json=False)
    assert capsys.readouterr().out == "three entries\n"
    say({"size": 3}, ["three entries"], as_json=True)
    assert json.loads(capsys.readouterr().out) == {"size": 3}


async def fails_in_groups() -> None:
    inner = ExceptionGroup("inner", [NotFoundError("nobody")])
    raise ExceptionGroup("outer", [inner])


async def fails_in_two_ways() -> None:
    raise ExceptionGroup("both", [NotFoundError("nobody"), ZeroDivisionError()])


async def answers() -> int:
    return 7


def test_one_expected_failure_of_a_task_group_is_raised_as_itself() -> None:
    assert run_async(answers) == 7
    with pytest.raises(NotFoundError, match="nobody"):
        run_async(fails_in_groups)
    with pytest.raises(ExceptionGroup):
        run_async(fails_in_two_ways)
