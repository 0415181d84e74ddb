"""tests/verbs/runs/test_plot.py: runs side by side on one page, task by task."""

import re
from pathlib import Path

import pytest
from tests.verbs.runs.conftest import MakeRun

from wetread.verbs.runs.plot import plot_runs


def test_a_page_has_the_curves_and_scores_of_every_run(made_run: MakeRun, tmp_path: Path) -> None:
    made_run("first", seed=1)
    made_run("second<b>", skill=0.2)
    stopped = made_run("stopped", epochs=1)
    (stopped / "predictions.parquet").unlink()
    found = plot_runs(stopped.parent, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert len(found) == 3
    assert page.count("<svg") == 3  # loss, validation, ROC AUC
    assert re.search(r'aria-label="Validation: ROC AUC of any by image"', page)
    assert "second&lt;b&gt;" in page
    assert "<b>stopped</b>: unfinished; stopped after epoch 1 of 3" in page
    scores = [f"{value:.3f}" for value in found.table["score"].drop_nulls()]
    assert len(scores) == 3
    assert all(f"<td>{score}<small>" in page for score in scores)
    assert "<script" not in page


def test_runs_of_two_tasks_stand_apart_and_a_folder_without_runs_is_refused(
    made_run: MakeRun, tmp_path: Path
) -> None:
    about = made_run("chest") / "about.json"
    about.write_text(about.read_text().replace('"hemorrhage"', '"pneumothorax"'))
    made_run("head")
    plot_runs(about.parents[1], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert page.count("<section>") == 2
    assert "<h1>2 runs</h1>" in page
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no run in"):
        plot_runs(tmp_path / "empty", tmp_path / "none.html")
    assert not (tmp_path / "none.html").exists()
