"""tests/verbs/runs/test_mirror.py: epochs and scores stand in TensorBoard and MLflow, each once."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.verbs.runs.conftest import MakeRun

from wetread.outputs.tensorboard import read_events
from wetread.verbs.runs.mirror import mirror_runs

NO_TENSORBOARD = "needs TensorBoard (extra tensorboard)"


def count_points(logs: Path) -> int:
    """All scalars below a folder, as TensorBoard's own reader counts them."""
    module: Any = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator", reason=NO_TENSORBOARD
    )
    found = 0
    for folder in {path.parent for path in logs.rglob("*tfevents*")}:
        events = module.EventAccumulator(str(folder), size_guidance={module.SCALARS: 0})
        events.Reload()
        found += sum(len(events.Scalars(tag)) for tag in events.Tags()[module.SCALARS])
    return found


def test_tensorboard_reads_the_numbers_of_the_run_and_each_once(
    made_run: MakeRun, tmp_path: Path
) -> None:
    pytest.importorskip("tensorboard", reason=NO_TENSORBOARD)
    run, logs = made_run("first"), tmp_path / "logs"
    found = mirror_runs(run.parent, tensorboard=logs)
    assert (found.runs, found.left_out) == (1, {})
    assert count_points(logs) == found.written
    again = mirror_runs(run.parent, tensorboard=logs)
    assert again.written == 0
    assert count_points(logs) == found.written
    lines = [json.loads(x) for x in (run / "model-0" / "metrics.jsonl").read_text().splitlines()]
    events = read_events(logs / "first" / "model-0")
    assert events["loss"] == pytest.approx({k + 1: line["loss"] for k, line in enumerate(lines)})
    assert events["validation"][3] == pytest.approx(lines[2]["value"])
    assert set(events["roc_auc_any"]) == {2, 3}  # of the first epoch it is not known
    scores = json.loads((run / "scores.json").read_text())["scores"]
    (auc,) = (s for s in scores if (s["metric"], s["finding"]) == ("roc_auc", "any"))
    tops = read_events(logs / "first")
    assert tops["scores/roc_auc/any/image"][3] == pytest.approx(auc["value"])
    assert tops["scores/roc_auc/any/image_low"][3] == pytest.approx(auc["low"])
    names = [path.name for path in logs.rglob("*tfevents*")]
    assert not any(os.uname().nodename in name for name in names)


def test_a_run_that_goes_on_adds_its_new_epochs_alone(made_run: MakeRun, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason=NO_TENSORBOARD)
    run, logs = made_run("first", epochs=2), tmp_path / "logs"
    mirror_runs(run, tensorboard=logs)
    metrics = run / "model-0" / "metrics.jsonl"
    line = {"epoch": 2, "step": 2, "loss": 0.2, "value": None, "kept": False}
    metrics.write_text(metrics.read_text() + json.dumps(line) + "\n")
    mirror_runs(run, tensorboard=logs)
    assert set(read_events(logs / "first" / "model-0")["loss"]) == {1, 2, 3}
    assert set(read_events(logs / "first" / "model-0")["validation"]) == {1, 2}


def test_another_training_under_the_same_name_is_refused(made_run: MakeRun, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason=NO_TENSORBOARD)
    run, logs = made_run("first"), tmp_path / "logs"
    mirror_runs(run, tensorboard=logs)
    metrics = run / "model-0" / "metrics.jsonl"
    metrics.write_text(metrics.read_text().replace('"loss": 1.0', '"loss": 1.5'))
    with pytest.raises(ValueError, match=r"loss of epoch 1 is 1 there and 1\.5 in the run"):
        mirror_runs(run, tensorboard=logs)


def test_a_run_without_an_epoch_is_left_out_with_its_reason(
    made_run: MakeRun, tmp_path: Path
) -> None:
    pytest.importorskip("tensorboard", reason=NO_TENSORBOARD)
    made_run("whole")
    begun = made_run("begun")
    for name in ("predictions.parquet", "scores.json", "model-0/metrics.jsonl"):
        (begun / name).unlink()
    found = mirror_runs(begun.parent, tensorboard=tmp_path / "logs")
    assert found.runs == 1
    assert "before its first epoch" in found.left_out["begun"]


def test_a_mirror_to_nothing_or_of_nothing_is_refused(made_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give `tensorboard`, or `mlflow`"):
        mirror_runs(made_run("first"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no run in"):
        mirror_runs(tmp_path / "empty", mlflow="sqlite:///none.db")


def test_mlflow_has_the_numbers_of_the_run_and_each_once(made_run: MakeRun, tmp_path: Path) -> None:
    mlflow = pytest.importorskip("mlflow", reason="needs MLflow (extra mlflow, in a venv apart)")
    run, uri = made_run("first"), f"sqlite:///{tmp_path / 'mlflow.db'}"
    written = mirror_runs(run, mlflow=uri).written
    assert written > 0
    assert mirror_runs(run, mlflow=uri).written == 0
    client = mlflow.MlflowClient(tracking_uri=uri)
    (found,) = client.search_runs(
        [client.get_experiment_by_name("wetread hemorrhage").experiment_id]
    )
    history = client.get_metric_history(found.info.run_id, "model-0/loss")
    assert [(one.step, one.value) for one in history] == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    assert found.data.params["encoder"] == "compact"
    assert (found.info.status, found.data.tags["wetread.id"]) == ("FINISHED", "5e55")
