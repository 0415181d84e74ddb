"""tests/evaluation/test_evaluate.py: scores in their form, beside their baselines."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from wetread.evaluation import metrics
from wetread.evaluation.evaluate import LabeledRows, evaluate
from wetread.evaluation.score import Score
from wetread.evaluation.task_metric import MetricName, TaskMetric
from wetread.labels.finding import Finding

FINDINGS = (Finding("rare"), Finding("common"), Finding("any", weight=2.0))
KEYS = {
    "metric", "finding", "level", "split", "value", "low", "high", "patients", "positives", "reason"
}  # fmt: skip


def scored(level: str = "image", seed: int = 0) -> tuple[list[Score], np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    truth = (rng.random((200, 3)) < [0.0, 0.3, 0.4]).astype(float)
    truth[:20, 1] = np.nan
    said = np.clip(truth * 0.4 + rng.random((200, 3)) * 0.6, 0, 1)
    said = np.where(np.isnan(said), 0.5, said)
    scores = evaluate(
        LabeledRows(truth, FINDINGS, [f"p{i // 5}" for i in range(200)], level, "held_out"),
        said,
        np.random.default_rng(seed),
        prior=np.array([0.01, 0.3, 0.4]),
        baselines={"position": 1 - said},
    )
    return scores, truth, said


def find(scores: list[Score], metric: str, finding: str) -> Score:
    (score,) = (s for s in scores if (s.metric, s.finding) == (metric, finding))
    return score


def test_the_official_metric_stands_beside_its_baselines() -> None:
    scores, truth, said = scored()
    weights = np.array([1.0, 1, 2])
    ours = find(scores, "weighted_log_loss", "all")
    assert ours.value == pytest.approx(metrics.weighted_log_loss(truth, said, weights), rel=1e-12)
    prior = np.tile([0.01, 0.3, 0.4], (200, 1))
    beside = find(scores, "weighted_log_loss_prior", "all")
    floor = metrics.weighted_log_loss(truth, prior, weights)
    assert beside.value == pytest.approx(floor, rel=1e-12)
    worst = find(scores, "weighted_log_loss_position", "all").value
    assert worst is not None
    assert worst > (beside.value or 0)


def test_every_value_lies_in_its_interval() -> None:
    scores, _, _ = scored()
    known = [score for score in scores if score.value is not None and score.low is not None]
    assert len(known) > 20
    for score in known:
        assert score.low <= score.value + 1e-12  # type: ignore[operator]
        assert score.value <= score.high + 1e-12  # type: ignore[operator]


def test_a_finding_without_positives_is_empty_with_its_reason() -> None:
    scores, _, _ = scored()
    for metric in ("roc_auc", "average_precision", "recall", "sensitivity_at_specificity_90"):
        score = find(scores, metric, "rare")
        assert (score.value, score.low, score.high) == (None, None, None)
        assert score.reason == "no positive among 200 known labels"
        assert score.positives == 0


def test_precision_says_when_nothing_is_called_positive() -> None:
    truth = np.array([[1.0], [0.0]])
    scores = evaluate(
        LabeledRows(truth, (Finding("a"),), ["p", "q"], "image", "held_out"),
        np.full((2, 1), 0.1),
        np.random.default_rng(0),
    )
    assert find(scores, "precision", "a").reason == "nothing reaches the threshold of 0.5"
    assert find(scores, "recall", "a").value == 0.0


def test_unknown_truth_is_left_out_of_values_patients_and_positives() -> None:
    scores, truth, said = scored()
    auc = find(scores, "roc_auc", "common")
    assert auc.value == pytest.approx(roc_auc_score(truth[20:, 1], said[20:, 1]))
    assert (auc.patients, auc.positives) == (36, int(np.nansum(truth[:, 1])))
    assert find(scores, "weighted_log_loss", "all").patients == 40


def test_the_official_metric_is_given_only_where_the_labels_are() -> None:
    scores, _, _ = scored(level="study")
    assert not [score for score in scores if score.metric.startswith("weighted_log_loss")]
    assert find(scores, "roc_auc", "any").level == "study"


def test_one_seed_gives_equal_intervals_and_another_seed_others() -> None:
    assert scored(seed=3)[0] == scored(seed=3)[0]
    assert scored(seed=3)[0] != scored(seed=4)[0]


def test_one_patient_has_a_value_and_no_interval() -> None:
    truth, said = np.array([[1.0], [0.0]]), np.array([[0.9], [0.2]])
    scores = evaluate(
        LabeledRows(truth, (Finding("a"),), ["p", "p"], "image", "held_out"),
        said,
        np.random.default_rng(0),
    )
    score = find(scores, "roc_auc", "a")
    assert (score.value, score.low, score.reason) == (1.0, None, "no interval: one patient")


def test_nothing_to_score_is_no_error() -> None:
    scores = evaluate(
        LabeledRows(np.empty((0, 3)), FINDINGS, [], "image", "held_out"),
        np.empty((0, 3)),
        np.random.default_rng(0),
        prior=np.full(3, 0.1),
    )
    assert {score.value for score in scores} == {None}
    assert {score.reason for score in scores} == {"no known label"}


def test_a_missing_probability_is_refused_by_row_and_finding() -> None:
    rows = LabeledRows(np.zeros((2, 1)), (Finding("a"),), ["p", "q"], "image", "held_out")
    with pytest.raises(ValueError, match=r"NaN.*row 1, finding 'a'"):
        evaluate(rows, np.array([[0.1], [np.nan]]), np.random.default_rng(0))


def test_shapes_that_do_not_meet_are_refused() -> None:
    rows = LabeledRows(np.zeros((2, 1)), (Finding("a"),), ["p", "q"], "image", "held_out")
    with pytest.raises(ValueError, match=r"ask for \(2, 1\)"):
        evaluate(rows, np.zeros((3, 1)), np.random.default_rng(0))


def test_calibration_is_compared_with_perfect_calibration() -> None:
    rng = np.random.default_rng(4)
    given = rng.beta(1, 3, (300, 1))
    truth = (rng.random((300, 1)) < given).astype(float)
    rows = LabeledRows(truth, (Finding("any"),), [f"p{i // 2}" for i in range(300)], "image", "x")
    found = {one.metric: one for one in evaluate(rows, given, np.random.default_rng(0))}
    assert found["mean_probability"].value == pytest.approx(given.mean())
    assert found["mean_probability_truth"].value == pytest.approx(truth.mean())
    assert found["brier"].value == pytest.approx(((given - truth) ** 2).mean())
    assert found["brier_perfect"].value == pytest.approx((given * (1 - given)).mean())
    assert found["ece"].value is not None
    assert found["ece_perfect"].value is not None
    assert found["ece"].value < found["ece_perfect"].value
    assert found["ece_perfect"].reason == "no interval: it follows from the probabilities alone"
    assert found["brier"].low is not None
    assert found["brier"].low < ((given - truth) ** 2).mean() < (found["brier"].high or 0)


def test_a_task_s_own_metric_comes_first_and_scores_the_answers_that_follow() -> None:
    rng = np.random.default_rng(5)
    truth = (rng.random((60, 1)) < 0.3).astype(np.float64)
    said = np.clip(rng.beta(2, 5, (60, 1)), 0.01, 0.99)
    findings = [Finding("a", positive_weight=3.0)]
    patients = [f"p{row}" for row in range(60)]
    metric = TaskMetric("group_log_loss")
    rows = LabeledRows(truth, findings, patients, "image", "held_out", metric)

    def values(as_answered: bool) -> dict[str, float | None]:
        scores = evaluate(
            rows, said, np.random.default_rng(0), prior=np.array([0.3]), as_answered=as_answered
        )
        names = [score.metric for score in scores if score.finding == "all"]
        beside = [] if as_answered else ["weighted_log_loss", "weighted_log_loss_prior"]
        assert names == ["group_log_loss", "group_log_loss_prior", *beside]
        return {score.metric: score.value for score in scores if score.finding == "all"}

    weight = np.where(truth == 1, 3.0, 1.0)
    answer = 3 * said / (3 * said + 1 - said)
    for how, given in ((False, answer), (True, said)):
        loss = -np.where(truth == 1, np.log(given), np.log(1 - given))
        expected = (loss * weight).sum() / weight.sum()
        assert values(how)["group_log_loss"] == pytest.approx(expected)
    # The floor is the best constant answer, whether an answer or a probability stands beside it.
    share = np.full((60, 1), 0.9 / (0.9 + 0.7))
    floor = -np.where(truth == 1, np.log(share), np.log(1 - share))
    for how in (False, True):
        best = (floor * weight).sum() / weight.sum()
        assert values(how)["group_log_loss_prior"] == pytest.approx(best)


def test_a_mean_of_auc_without_a_class_says_of_which_finding() -> None:
    truth = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    findings = [Finding("a"), Finding("rare")]
    rows = LabeledRows(
        truth, findings, list("pqr"), "image", "held_out", TaskMetric("mean_roc_auc")
    )
    first = evaluate(rows, np.full((3, 2), 0.5), np.random.default_rng(0))[0]
    assert (first.metric, first.value) == ("mean_roc_auc", None)
    assert first.reason == "rare has no positive among 3 known labels"


@pytest.mark.parametrize("name", ["weighted_log_loss", "dice"])
def test_the_weighted_log_loss_stands_once_where_it_is_the_task_s_or_masks_are(
    name: MetricName,
) -> None:
    truth, findings = np.eye(2), [Finding("a"), Finding("b")]
    metric = TaskMetric(name, (("a", "b"),))
    rows = LabeledRows(truth, findings, ["p", "q"], "image", "held_out", metric)
    scores = evaluate(rows, np.full((2, 2), 0.4), np.random.default_rng(0))
    of_all = [score.metric for score in scores if score.finding == "all"]
    assert of_all == ["weighted_log_loss"]
