import importlib
import re
from pathlib import Path

import pytest

from tests.architecture.house import ROOT

# A link to a file beside the page; addresses and anchors in the same page are not ours to check.
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
COMMAND = re.compile(r"(?m)^\s*(?:\$ )?(?:\.venv/bin/)?guard ([a-z-]+)")


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_the_readme_shows_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text()
    assert "make demo" in text
    assert "make test" in text


@pytest.mark.parametrize("page", pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    broken = [
        target
        for target in LINK.findall(page.read_text())
        if not (page.parent / target).resolve().exists()
    ]
    assert broken == []


def test_reference_pages_are_what_the_code_says() -> None:
    reference = importlib.import_module("api.reference")
    folder = ROOT / "docs"
    for name, text in reference.pages().items():
        assert (folder / name).read_text() == text, (
            f"{name} is stale: run `python -m api.reference docs`"
        )


def test_every_problem_type_is_documented() -> None:
    problems = importlib.import_module("api.problems")
    text = "\n".join(p.read_text() for p in (ROOT / "docs" / "reference").glob("*.md"))
    known = (*problems.TABLE.values(), *problems.REFUSALS.values(), *problems.FRAMEWORK.values())
    assert {problem.slug for problem in known if problem.slug not in text} == set()


@pytest.mark.parametrize("page", pages(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_guard_command_that_a_page_shows_exists(page: Path) -> None:
    cli = importlib.import_module("api.cli.app")
    for name in COMMAND.findall(page.read_text()):
        assert name in cli.MODULES
