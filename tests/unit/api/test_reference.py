import subprocess
import sys
from pathlib import Path

import pytest

from api.metrics import Metrics
from api.reference import pages, write
from api.settings import Settings

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", pages())
def test_the_page_in_the_tree_is_the_one_the_code_writes(name: str) -> None:
    assert (DOCS / name).read_text() == pages()[name], "run `python -m api.reference docs`"


def test_every_setting_and_metric_is_listed(tmp_path: Path) -> None:
    write(tmp_path)
    settings = (tmp_path / "reference/settings.md").read_text()
    assert all(f"`RECORDGUARD_{name.upper()}`" in settings for name in Settings.model_fields)
    metrics = (tmp_path / "reference/metrics.md").read_text()
    assert all(metric.name in metrics for metric in Metrics().registry.collect())


def test_it_runs_as_the_documents_say(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-m", "api.reference", str(tmp_path)]
    subprocess.run(command, check=True, cwd=root, timeout=60)  # noqa: S603 - our own program
    assert {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.md")} == set(pages())
