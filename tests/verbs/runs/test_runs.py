"""tests/verbs/runs/test_runs.py: every run below a folder is a row, with what it says of itself."""

import json
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.verbs.runs.conftest import MakeRun, predicted

import wetread
from wetread.archive.files.lock import locked
from wetread.evaluation.score import Scores
from wetread.training.predictions import FILE
from wetread.verbs.runs.runs import RUN_SCHEMA, export_runs, runs


def states(folder: Path) -> dict[str, tuple[str, str | None]]:
    rows = runs(folder).table.select("run", "state", "reason").iter_rows()
    return {name: (state, reason) for name, state, reason in rows}


def test_a_finished_run_is_a_row_with_its_scores_and_its_machine(made_run: MakeRun) -> None:
    folder = made_run("first", seed=4)
    (row,) = runs(folder.parent).table.to_dicts()
    assert (row["run"], row["state"], row["reason"]) == ("first", "finished", None)
    assert (row["task"], row["recipe"], row["encoder"]) == ("hemorrhage", "compact", "compact")
    assert (row["folds"], row["seed"], row["networks"]) == (0, 4, 1)
    assert (row["epochs"], row["epochs_done"], row["patients"]) == (3, 3, 12)
    assert (row["seconds"], row["processor"], row["precision"]) == (90.0, "A Processor", "float32")
    scores = Scores.from_dict(json.loads((folder / "scores.json").read_text()))
    (own,) = scores.find("weighted_log_loss", finding="all")
    (auc,) = scores.find("roc_auc", finding="any")
    assert (row["score"], row["score_low"], row["score_high"]) == (own.value, own.low, own.high)
    assert (row["auc"], row["auc_low"], row["auc_high"]) == (auc.value, auc.low, auc.high)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert row["bytes"] == sum(path.stat().st_size for path in files)


def test_a_run_that_was_stopped_says_where_and_one_that_is_held_says_so(made_run: MakeRun) -> None:
    for name in ("stopped", "begun", "unscored", "held"):
        made_run(name, epochs=2)
    top = made_run("whole").parent
    (top / "stopped" / FILE).unlink()
    (top / "stopped" / "scores.json").unlink()
    (top / "begun" / FILE).unlink()
    (top / "begun" / "model-0" / "metrics.jsonl").unlink()
    (top / "unscored" / "scores.json").unlink()
    with locked(top / "held"):
        found = states(top)
    assert {name: state for name, (state, _) in found.items()} == {
        "begun": "unfinished", "held": "running", "stopped": "unfinished",
        "unscored": "unscored", "whole": "finished",
    }  # fmt: skip
    assert "after epoch 2 of 3 of model-0" in str(found["stopped"][1])
    assert "before its first epoch" in str(found["begun"][1])


@pytest.mark.parametrize(
    "name",
    ["about.json", "recipe.json", "folds.json", "machine.json", "scores.json", FILE,
     "model-0/metrics.jsonl"],
)  # fmt: skip
def test_a_run_with_a_file_that_is_cut_stays_a_row_that_names_the_file(
    made_run: MakeRun, name: str
) -> None:
    path = made_run("cut") / name
    path.write_bytes(path.read_bytes()[:-20])
    made_run("whole")
    found = states(path.parents[len(Path(name).parts)])
    assert found["whole"] == ("finished", None)
    state, reason = found["cut"]
    assert state == "damaged"
    assert str(path) in str(reason)


@pytest.mark.parametrize("name", ["about.json", "recipe.json", "model-0/best.pt"])
def test_a_finished_run_that_lost_a_file_is_damaged(made_run: MakeRun, name: str) -> None:
    path = made_run("lost") / name
    path.unlink()
    found = runs(path.parents[len(Path(name).parts)])
    assert found.damaged == 1
    assert name in found.table["reason"][0]


def test_what_a_run_holds_within_is_no_run_and_a_run_reached_twice_is_one(
    made_run: MakeRun,
) -> None:
    folder = made_run("outer")
    made_run("outer/phantoms/run")
    other = made_run("deep/er/inner")
    top = folder.parent
    found = runs([top, folder, other.parent])
    assert found.table["run"].to_list() == ["runs/deep/er/inner", "runs/outer"]
    assert runs(folder).table["run"].to_list() == ["outer"]


def test_a_folder_of_logs_or_readings_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "logs" / "model-0").mkdir(parents=True)
    (tmp_path / "readings").mkdir()
    (tmp_path / "readings" / "scores.json").write_text("{}")
    found = runs(tmp_path)
    assert len(found) == 0
    assert dict(found.table.schema) == RUN_SCHEMA
    with pytest.raises(FileNotFoundError, match="no such folder"):
        runs(tmp_path / "none")


def test_a_run_of_a_task_that_is_not_installed_is_listed_and_says_so(made_run: MakeRun) -> None:
    path = made_run("own") / "about.json"
    path.write_text(path.read_text().replace('"hemorrhage"', '"of_others"'))
    (row,) = runs(path.parents[1]).table.to_dicts()
    assert (row["state"], row["score"]) == ("finished", None)
    assert "no task 'of_others'" in row["reason"]


def test_the_table_is_exported_in_three_forms(made_run: MakeRun, tmp_path: Path) -> None:
    top = made_run("one").parent
    found = export_runs(top, tmp_path / "t.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "t.parquet"), found.table)
    export_runs(top, tmp_path / "t.csv")
    assert pl.read_csv(tmp_path / "t.csv")["auc"].to_list() == found.table["auc"].to_list()
    export_runs(top, tmp_path / "t.json")
    assert json.loads((tmp_path / "t.json").read_text()) == found.to_dict()
    with pytest.raises(ValueError, match=r"ends in \.csv"):
        export_runs(top, tmp_path / "t.xlsx")


def test_the_library_hands_the_verb_out(made_run: MakeRun) -> None:
    found = wetread.runs(made_run("one"))
    assert "<table" in found._repr_html_()
    assert predicted(range(2), 1.0).truth.shape == (8, 6)
