from pathlib import PurePosixPath

import pytest

from tests.architecture.house import load_script

lint = load_script("lint_house")

BAD = [
    ("query-outside-the-store", "guard/broker/path.py", "import sqlalchemy\n"),
    ("query-outside-the-store", "api/app.py", "from sqlite3 import connect\n"),
    ("query-outside-the-store", "guard/broker/path.py", "c.execute(q)\n"),
    ("query-outside-the-store", "guard/alerts.py", 'q = "SELECT a FROM b"\n'),
    ("raw-record-in-api", "api/routers/views.py", "def f() -> RawRecord | None: ...\n"),
    ("raw-record-in-api", "api/routers/views.py", "async def f() -> list[RawRecord]: ...\n"),
    ("raw-record-in-api", "api/routers/views.py", "r.get('/', response_model=RawRecord)\n"),
    ("raw-record-in-api", "api/schemas/view.py", "class A:\n    record: rows.RawRecord\n"),
    ("free-text-in-logs", "guard/broker/path.py", 'log.info(f"view of {ref}")\n'),
    ("free-text-in-logs", "guard/broker/path.py", 'log.info("Viewed a record")\n'),
    ("free-text-in-logs", "guard/broker/path.py", 'log.info("view.done", ref)\n'),
    ("free-text-in-logs", "guard/broker/path.py", 'self._log.error("view.done", why=str(error))\n'),
    ("free-text-in-logs", "guard/broker/path.py", 'log.error("view.done", why=f"{error}")\n'),
    ("free-text-in-logs", "guard/broker/path.py", 'log.error("view.done", why="%s" % error)\n'),
    (
        "free-text-in-logs",
        "guard/broker/path.py",
        'log.error("view.done", why="{}".format(error))\n',
    ),
    ("free-text-in-logs", "guard/broker/path.py", 'log.error("view.done", **row)\n'),
    ("free-text-in-logs", "guard/broker/path.py", "log.info()\n"),
    ("swallowed-exception", "guard/a.py", "try:\n    f()\nexcept Exception:\n    pass\n"),
    ("swallowed-exception", "guard/a.py", "try:\n    f()\nexcept (OSError, Exception):\n    g()\n"),
    ("swallowed-exception", "guard/a.py", "try:\n    f()\nexcept:\n    g()\n"),
    ("swallowed-exception", "tests/a.py", "try:\n    f()\nexcept BaseException as e:\n    g(e)\n"),
    ("unreasoned-exemption", "guard/a.py", "x = 1  # noqa\n"),
    ("unreasoned-exemption", "guard/a.py", "x = 1  # noqa: S603\n"),
    ("unreasoned-exemption", "guard/a.py", "x = 1  # type: ignore\n"),
    ("unreasoned-exemption", "guard/a.py", "x = 1  # type: ignore[misc]\n"),
    ("unreasoned-exemption", "guard/a.py", "x = 1  # type: ignore # because I say so\n"),
    ("unreasoned-exemption", "guard/a.py", "x = 1  # pragma: no cover\n"),
    ("second-door", "guard/alerts.py", "await source.fetch(key, paths)\n"),
    ("second-door", "api/routers/views.py", "self._sources[name].fetch(key, paths)\n"),
    ("second-commit", "guard/suspensions.py", "with store.begin() as rows: ...\n"),
    ("machine-path", "docs/a.md", "cd /roo" + "t/app\n"),
    ("machine-path", "guard/a.py", "P = '/hom" + "e/me/app'\n"),
    ("registry-host", "docs/a.md", "https://py" + "pi.org/simple\n"),
    ("private-key", "tests/a.pem", "-----BEGIN " + "EC PRIVATE KEY-----\n"),
]

GOOD = [
    ("guard/store/readers.py", 'import sqlalchemy\nc.execute("SELECT a FROM b")\n'),
    ("guard/sources/sql.py", "from sqlalchemy import text\n"),
    ("guard/broker/path.py", '"""SELECT what FROM the reader expects here."""\n'),
    ("guard/broker/path.py", "answer = await source.fetch(key, paths)\n"),
    ("guard/sources/composite.py", "answer = await inner.fetch(key, paths)\n"),
    ("guard/admission/writer.py", "with store.begin() as rows: ...\n"),
    ("tests/unit/test_x.py", "with store.begin() as rows: ...\nsource.fetch(1)\n"),
    ("api/routers/views.py", "def f(raw: RawRecord) -> MaskedRecord: ...\n"),
    ("guard/sources/sql.py", "def f() -> RawRecord: ...\n"),
    ("guard/broker/path.py", 'log.info("view.permitted", fields=4, index=receipt.index)\n'),
    ("guard/broker/path.py", "math.log(x)\ncatalogue.error(1)\n"),
    ("guard/a.py", "try:\n    f()\nexcept Exception as e:\n    g()\n    raise X from e\n"),
    ("guard/a.py", "try:\n    f()\nexcept OSError:\n    pass\n"),
    (
        "guard/a.py",
        "try:\n    f()\nexcept Exception:  # noqa: BLE001 - a broken probe is counted\n    g()\n",
    ),
    ("guard/a.py", "x = 1  # noqa: S603, S607 - fixed words\n"),
    ("guard/a.py", "x = 1  # type: ignore[misc, assignment] # the stub lacks it\n"),
    ("docs/a.md", "The work/ and home/ folders; see /var/lib/recordguard\n"),
]


@pytest.mark.parametrize(("rule", "path", "text"), BAD)
def test_a_breach_is_named_by_its_rule(rule: str, path: str, text: str) -> None:
    assert rule in [problem.rule for problem in lint.check(PurePosixPath(path), text)]


@pytest.mark.parametrize(("path", "text"), GOOD)
def test_what_is_allowed_is_left_alone(path: str, text: str) -> None:
    assert lint.check(PurePosixPath(path), text) == []


def test_every_rule_has_a_bad_sample_and_says_which_breach_it_prevents() -> None:
    shown = {rule for rule, _, _ in BAD}
    for rule in lint.CODE_RULES:
        assert rule.__name__.replace("_", "-") in shown
        assert rule.__doc__


def test_a_problem_reads_as_an_editor_can_follow_it() -> None:
    (problem,) = lint.check(PurePosixPath("guard/a.py"), "x = 1\nstore.begin()\n")
    assert str(problem) == "guard/a.py:2: second-commit: go through `Committer.run`"


def test_this_checkout_keeps_the_house_rules(capsys: pytest.CaptureFixture[str]) -> None:
    assert lint.main([]) == 0, capsys.readouterr().out
