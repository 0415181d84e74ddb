"""tests/prediction/test_run_weights.py: runs weighed by patients whom none of them had seen."""

from pathlib import Path

import numpy as np
import pytest

from wetread.evaluation.metrics import weighted_log_loss
from wetread.labels.finding import Finding
from wetread.prediction.run_weights import choose_run_weights
from wetread.training.predictions import FILE, LevelPredictions, to_table

FINDINGS = (Finding("left"), Finding("any", weight=2.0))
AT = {"image": FINDINGS, "study": FINDINGS}


def _run(folder: Path, noise: float, seed: int, rows: range) -> tuple[Path, np.ndarray, np.ndarray]:
    """A run that read images of sixty patients, the truth of which is the same in all runs."""
    rng = np.random.default_rng(0)
    true = rng.beta(0.7, 2, (120, 2))
    truth = (rng.random((120, 2)) < true).astype(float)[rows]
    predicted = np.clip(
        true[rows] + np.random.default_rng(seed).normal(0, noise, truth.shape), 0.02, 0.98
    )
    ids = tuple(f"i{row}" for row in rows)
    patients = tuple(f"p{row // 2}" for row in rows)
    level = LevelPredictions(
        "image", "out_of_fold", FINDINGS, ids, ids, patients, np.array(rows), truth, predicted,
        {name: np.full(truth.shape, 0.3) for name in ("prior", "position", "histogram")},
    )  # fmt: skip
    folder.mkdir()
    to_table(level, 0).write_parquet(folder / FILE)
    return folder, truth, predicted


def test_the_better_run_weighs_more_and_the_losses_are_those_of_the_images_in_common(
    tmp_path: Path,
) -> None:
    good, truth, predicted = _run(tmp_path / "good", 0.05, 1, range(0, 120))
    bad, _, other = _run(tmp_path / "bad", 0.4, 2, range(20, 120))
    found = choose_run_weights([good, bad], AT)
    assert (found.images, found.patients) == (100, 50)
    assert found.weights[0] > 0.8
    assert sum(found.weights) == pytest.approx(1)
    weights = np.array([1.0, 2.0])
    expected = [weighted_log_loss(truth[20:], one, weights) for one in (predicted[20:], other)]
    assert found.each == pytest.approx(expected)
    assert found.alike == pytest.approx(
        weighted_log_loss(truth[20:], (predicted[20:] + other) / 2, weights)
    )
    assert found.chosen < found.alike
    assert f"{found.weights[0]:.2f}, {found.weights[1]:.2f}" in found.sentence()


def test_runs_without_enough_patients_in_common_are_refused(tmp_path: Path) -> None:
    first, _, _ = _run(tmp_path / "first", 0.1, 1, range(0, 60))
    second, _, _ = _run(tmp_path / "second", 0.1, 2, range(50, 120))
    with pytest.raises(ValueError, match="5 patients in common"):
        choose_run_weights([first, second], AT)
    with pytest.raises(ValueError, match=r"has no predictions\.parquet"):
        choose_run_weights([first, tmp_path], AT)
