"""tests/evaluation/test_intervals.py: the fast bootstrap against one that copies rows."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from wetread.evaluation import intervals, metrics


def sample(seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    patients = [f"p{number}" for number in rng.integers(0, 15, 120)]
    truth = (rng.random(120) < 0.4).astype(float)
    return truth, (0.5 * truth + rng.random(120)).round(1) / 1.5, patients


def test_draws_take_as_many_patients_as_there_are_and_whole_ones() -> None:
    _, _, patients = sample()
    patient_of_row, times = intervals.draw_patients(patients, 50, np.random.default_rng(1))
    assert times.shape == (50, len(set(patients)))
    assert (times.sum(axis=1) == len(set(patients))).all()
    weights = np.concatenate(list(intervals.row_weights(patient_of_row, times)))
    for patient in set(patients):
        rows = weights[:, [name == patient for name in patients]]
        assert (rows == rows[:, :1]).all()


def test_the_weighted_counts_equal_metrics_of_copied_rows_draw_by_draw() -> None:
    truth, said, patients = sample()
    patient_of_row, times = intervals.draw_patients(patients, 60, np.random.default_rng(1))
    ranking = metrics.rank(truth, said)
    pieces = intervals.row_weights(patient_of_row[ranking.order], times)
    counts = metrics.count(ranking, np.concatenate(list(pieces)))
    losses = intervals.drawn_ratio(
        metrics.log_losses(truth, said), np.ones(120), patient_of_row, times
    )
    for draw, drawn in enumerate(times.astype(int)):
        rows = np.repeat(np.arange(120), drawn[patient_of_row])
        assert metrics.auc_of(counts)[draw] == pytest.approx(roc_auc_score(truth[rows], said[rows]))
        assert metrics.average_precision_of(counts)[draw] == pytest.approx(
            average_precision_score(truth[rows], said[rows])
        )
        assert losses[draw] == pytest.approx(metrics.log_loss(truth[rows], said[rows]))


def test_pieces_of_the_draws_make_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "CHUNK_ELEMENTS", 300)
    _, _, patients = sample()
    patient_of_row, times = intervals.draw_patients(patients, 7, np.random.default_rng(1))
    pieces = list(intervals.row_weights(patient_of_row, times))
    assert len(pieces) == 4
    np.testing.assert_array_equal(np.concatenate(pieces), times[:, patient_of_row])


def test_the_general_bootstrap_gives_the_same_interval_from_the_same_seed() -> None:
    truth, said, patients = sample()
    slow = intervals.bootstrap(
        lambda rows: metrics.roc_auc(truth[rows], said[rows]), patients, np.random.default_rng(4)
    )
    patient_of_row, times = intervals.draw_patients(patients, 500, np.random.default_rng(4))
    ranking = metrics.rank(truth, said)
    weights = np.concatenate(list(intervals.row_weights(patient_of_row[ranking.order], times)))
    fast = intervals.percentile_interval(metrics.auc_of(metrics.count(ranking, weights)))
    assert slow == pytest.approx(fast)


def test_rows_of_few_patients_give_wider_intervals_than_rows_of_many() -> None:
    truth, _, _ = sample()
    order = np.argsort(truth)

    def width(patients: list[str]) -> float:
        interval = intervals.bootstrap(
            lambda rows: float(truth[order][rows].mean()), patients, np.random.default_rng(0)
        )
        assert interval is not None
        return interval[1] - interval[0]

    assert width([str(i // 12) for i in range(120)]) > 2 * width([str(i) for i in range(120)])


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(200):
        values = rng.normal(size=40)
        of_row, times = intervals.draw_patients([str(i) for i in range(40)], 300, rng)
        drawn = intervals.drawn_ratio(values, np.ones(40), of_row, times)
        low, high = intervals.percentile_interval(drawn) or (0.0, 0.0)
        held += low <= 0 <= high
    assert 0.88 <= held / 200 <= 0.99


def test_one_patient_has_no_interval() -> None:
    assert intervals.bootstrap(lambda rows: 1.0, ["a", "a"], np.random.default_rng(0)) is None


def test_mostly_undefined_draws_have_no_interval() -> None:
    assert intervals.percentile_interval(np.array([np.nan, np.nan, 0.5])) is None
    assert intervals.percentile_interval(np.array([])) is None
