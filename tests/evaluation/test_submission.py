"""tests/evaluation/test_submission.py: a submission scored as the competition does."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import log_loss

from wetread.evaluation.score import Score
from wetread.evaluation.submission import SubmissionScores, score_submission
from wetread.labels.finding import Finding
from wetread.labels.long_csv import read_long_csv
from wetread.labels.table import LabelError

FINDINGS = (Finding("a"), Finding("b"), Finding("any", weight=2.0))
NAMES = ("a", "b", "any")


def written(path: Path, ids: list[str], values: np.ndarray, drop: tuple[str, ...] = ()) -> Path:
    rows = pl.DataFrame(
        {"ID": [f"{i}_{name}" for i in ids for name in NAMES], "Label": values.ravel()}
    )
    rows.filter(~pl.col("ID").is_in(drop)).sample(fraction=1, shuffle=True, seed=0).write_csv(path)
    return path


def scored(
    folder: Path, drop: tuple[str, ...] = (), patients: dict[str, str] | None = None
) -> tuple[SubmissionScores, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    ids = [f"ID_{number:03d}" for number in range(40)]
    truth, said = (rng.random((40, 3)) < 0.4).astype(float), rng.random((40, 3)) ** 20
    result = score_submission(
        read_long_csv(written(folder / "truth.csv", ids[:30], truth[:30]), FINDINGS),
        read_long_csv(written(folder / "said.csv", ids, said, drop), FINDINGS),
        FINDINGS,
        "held_out",
        np.random.default_rng(0),
        patients,
    )
    return result, truth[:30], said[:30]


def find(result: SubmissionScores, metric: str, finding: str = "all") -> Score:
    (score,) = (s for s in result.scores if (s.metric, s.finding) == (metric, finding))
    return score


def test_the_official_metric_is_sklearns_to_1e_9_through_files(tmp_path: Path) -> None:
    result, truth, said = scored(tmp_path)
    expected = log_loss(
        truth.ravel(),
        np.clip(said, 1e-15, 1 - 1e-15).ravel(),
        sample_weight=np.tile([1.0, 1, 2], 30),
    )
    assert find(result, "weighted_log_loss").value == pytest.approx(expected, abs=1e-9)


def test_ids_too_many_are_listed_and_not_scored(tmp_path: Path) -> None:
    result, _, _ = scored(tmp_path)
    assert set(result.too_many) == {f"ID_{i:03d}_{name}" for i in range(30, 40) for name in NAMES}
    assert result.missing == ()


def test_a_missing_id_is_listed_and_leaves_the_official_metric_without_value(
    tmp_path: Path,
) -> None:
    result, _, _ = scored(tmp_path, drop=("ID_003_b",))
    assert result.missing == ("ID_003_b",)
    assert find(result, "weighted_log_loss").value is None
    assert find(result, "weighted_log_loss").reason == "1 probabilities are missing"
    assert find(result, "roc_auc", "b").value is None
    assert find(result, "roc_auc", "a").value is not None


def test_without_patients_there_are_no_intervals_and_it_is_said(tmp_path: Path) -> None:
    score = find(scored(tmp_path)[0], "roc_auc", "any")
    assert (score.low, score.high, score.patients) == (None, None, 0)
    assert score.reason == "no interval: patients are not given"


def test_with_patients_there_are_intervals(tmp_path: Path) -> None:
    patients = {f"ID_{number:03d}": f"p{number % 11}" for number in range(40)}
    score = find(scored(tmp_path, patients=patients)[0], "roc_auc", "any")
    assert score.low is not None
    assert score.patients == 11


def test_an_id_without_patient_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"'ID_\d+' is not given"):
        scored(tmp_path, patients={})
