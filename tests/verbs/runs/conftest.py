"""tests/verbs/runs/conftest.py: folders of runs as train leaves them, without a training."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wetread.evaluation.evaluate import LabeledRows, evaluate
from wetread.evaluation.score import Scores
from wetread.labels.finding import finding_names
from wetread.tasks import find_task
from wetread.training import machine
from wetread.training.predictions import FILE, LevelPredictions, to_table
from wetread.training.recipe_file import read_recipe
from wetread.training.run import Run

TASK = find_task("hemorrhage")
MakeRun = Callable[..., Path]
SESSION = {
    "id": "5e55", "wetread": "0.1.0", "source": "ab" * 32, "python": "3.11.7",
    "packages": {"torch": "2.13.0"}, "system": "Linux x86_64", "processor": "A Processor",
    "cores": 2, "kernels": "AVX2", "threads": 1, "device": "cpu", "device_name": "A Processor",
    "precision": "float32", "deterministic": False, "began": "2026-11-30T10:00:00+00:00",
    "ended": "2026-11-30T10:01:30+00:00", "seconds": 90.0, "finished": True, "splits": {},
}  # fmt: skip


def predicted(patients: range, skill: float, seed: int = 0) -> LevelPredictions:
    """Four images a patient, the truth the same for every skill and seed."""
    ids = [f"i{p}-{k}" for p in patients for k in range(4)]
    owners = [f"p{p:02d}" for p in patients for _ in range(4)]
    truth = np.array([np.random.default_rng(p * 10 + k).random(6) < 0.4
                      for p in patients for k in range(4)], float)  # fmt: skip
    noise = np.random.default_rng(seed).random(truth.shape)
    probability = np.clip(skill * truth + (1 - skill) * noise, 0.01, 0.99)
    baselines = {name: np.full(truth.shape, 0.4) for name in ("prior", "position", "histogram")}
    return LevelPredictions(
        "image", "held_out", TASK.findings, tuple(ids), tuple(owners), tuple(owners),
        np.arange(len(ids)), truth, probability, baselines,
    )  # fmt: skip


def write_run(
    folder: Path,
    *,
    patients: range = range(12),
    skill: float = 0.3,
    seed: int = 0,
    settings: tuple[str, ...] = (),
    session: Mapping[str, Any] = SESSION,
    epochs: int = 3,
) -> Path:
    """Write a finished run of one split into a folder."""
    run, recipe = Run(folder), read_recipe("compact", [f"seed={seed}", "epochs=3", *settings])
    (folder / "model-0").mkdir(parents=True)
    part = predicted(patients, skill, seed)
    run.write_json("recipe.json", recipe.model_dump(mode="json"))
    dealt = dict.fromkeys(part.patients, "held_out")
    run.write_json("folds.json", {"parts": ["held_out"], "assignment": dealt, "proof": None})
    names = finding_names(TASK.findings)
    about = {
        "task": TASK.name, "findings": list(names), "prior": dict.fromkeys(names, 0.4),
        "counts": {"files": 48}, "patients_from": "headers", "recipe": "compact",
        "scored_on": {"images": len(part.ids), "studies": len(dealt), "patients": len(dealt),
                      "phantom_studies": 0},
        "data": {"images": "cd" * 16, "labels": "ef" * 16},
    }  # fmt: skip
    run.write_json("about.json", about)
    run.write_json(machine.FILE, {"sessions": [dict(session)]})
    lines = [
        {"epoch": k, "step": k, "loss": 1 / (k + 1), "value": 0.5 / (k + 1), "kept": True,
         "roc_auc_any": None if k == 0 else 0.5 + 0.1 * k}
        for k in range(epochs)
    ]  # fmt: skip
    Run(folder / "model-0").write_lines("metrics.jsonl", lines)
    (folder / "model-0" / "best.pt").write_bytes(b"weights")
    run.write_table(FILE, to_table(part, 0))
    rows = LabeledRows(
        part.truth, part.findings, part.patients, "image", part.split, TASK.metric
    )  # fmt: skip
    scores = evaluate(
        rows, part.probability, np.random.default_rng(seed), baselines=part.baselines, official=True
    )
    (folder / "scores.json").write_text(json.dumps(Scores(scores).to_dict()))
    return folder


@pytest.fixture
def made_run(tmp_path: Path) -> MakeRun:
    """made_run(name, ...) -> a finished run of that name below a folder `runs`."""

    def make(name: str, **changes: Any) -> Path:
        return write_run(tmp_path / "runs" / name, **changes)

    return make
