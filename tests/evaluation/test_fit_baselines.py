"""tests/evaluation/test_fit_baselines.py: the constant prior's losses are entropies, in closed
form; each baseline sees what it is called by."""

import numpy as np
import polars as pl
import pytest

from wetread.evaluation.baselines import constant_prior, fit_trees, known_prior
from wetread.evaluation.evaluate import LabeledRows, evaluate_baselines
from wetread.evaluation.fit_baselines import BASELINES, BaselineFeatures, predict_baselines
from wetread.evaluation.header_baseline import header_features
from wetread.evaluation.metrics import roc_auc
from wetread.labels.finding import Finding

WEIGHTS = np.array([1.0, 1.0, 2.0])
FINDINGS = tuple(Finding(f"f{k}", weight=float(w)) for k, w in enumerate(WEIGHTS))


def entropy(share: np.ndarray) -> np.ndarray:
    return -(share * np.log(share) + (1 - share) * np.log(1 - share))


def rows_of(truth: np.ndarray) -> LabeledRows:
    patients = [f"p{row // 5}" for row in range(len(truth))]
    return LabeledRows(truth, FINDINGS, patients, "image", "out_of_fold")


def official(truth: np.ndarray, probability: np.ndarray) -> float:
    rng = np.random.default_rng(0)
    first = evaluate_baselines(rows_of(truth), {"prior": probability}, rng, draws=20)[0]
    assert (first.metric, first.finding) == ("weighted_log_loss_prior", "all")
    assert first.value is not None
    return first.value


def features(place: np.ndarray, histogram: np.ndarray, maker: list[str]) -> BaselineFeatures:
    ids = [str(row) for row in range(len(place))]
    table = pl.DataFrame({"SOPInstanceUID": ids, "SeriesInstanceUID": ids, "Manufacturer": maker})
    return BaselineFeatures(place, histogram, header_features(table))


def test_in_sample_the_loss_of_the_prior_is_the_weighted_entropy_of_the_prevalences() -> None:
    truth = (np.random.default_rng(0).random((500, 3)) < [0.02, 0.1, 0.4]).astype(float)
    prior = np.tile(constant_prior(truth), (500, 1))
    expected = (WEIGHTS * entropy(truth.mean(axis=0))).sum() / WEIGHTS.sum()
    assert official(truth, prior) == pytest.approx(expected, rel=0, abs=1e-9)


def test_in_sample_unknown_labels_are_in_neither_sum() -> None:
    rng = np.random.default_rng(1)
    truth = (rng.random((400, 3)) < [0.1, 0.2, 0.4]).astype(float)
    truth[rng.random(truth.shape) < [0.5, 0.1, 0.0]] = np.nan
    known = (~np.isnan(truth)).sum(axis=0)
    weighed = WEIGHTS * known
    expected = (weighed * entropy(np.nanmean(truth, axis=0))).sum() / weighed.sum()
    found = official(truth, np.tile(constant_prior(truth), (400, 1)))
    assert found == pytest.approx(expected, rel=0, abs=1e-9)


def test_out_of_fold_it_is_the_cross_entropy_of_the_held_out_share_under_the_training_share(
) -> None:  # fmt: skip
    truth = (np.random.default_rng(2).random((300, 3)) < [0.05, 0.2, 0.5]).astype(float)
    nothing = features(np.zeros(300), np.zeros((300, 1)), ["x"] * 300)
    fold, loss = np.repeat([0, 1, 2], 100), []
    probability = np.empty_like(truth)
    for one in range(3):
        train, held = np.flatnonzero(fold != one), np.flatnonzero(fold == one)
        found = predict_baselines(nothing.of(train), truth[train], nothing.of(held))
        probability[held] = found["prior"]
        p, q = truth[held].mean(axis=0), truth[train].mean(axis=0)
        loss.append(-(p * np.log(q) + (1 - p) * np.log(1 - q)) @ WEIGHTS / WEIGHTS.sum())
        assert official(truth[held], found["prior"]) == pytest.approx(loss[-1], rel=0, abs=1e-9)
    assert official(truth, probability) == pytest.approx(np.mean(loss), rel=0, abs=1e-9)


def test_each_baseline_finds_what_it_sees_and_nothing_else() -> None:
    rng = np.random.default_rng(3)
    place, bright = rng.random(600), rng.random((600, 1))
    maker = rng.choice(["Alpha", "Beta"], 600)
    truth = np.column_stack([place > 0.6, bright[:, 0] > 0.7, maker == "Beta"]).astype(float)
    seen = features(place, bright, maker.tolist())
    train, test = np.arange(400), np.arange(400, 600)
    found = predict_baselines(seen.of(train), truth[train], seen.of(test))
    assert tuple(found) == BASELINES
    for name, own in zip(("position", "histogram", "header"), range(3), strict=True):
        for column in range(3):
            auc = roc_auc(truth[test, column], found[name][:, column])
            assert auc > 0.95 if column == own else abs(auc - 0.5) < 0.15
    assert np.ptp(found["prior"], axis=0).max() == 0


def test_without_headers_there_is_no_baseline_of_them() -> None:
    blind = BaselineFeatures(np.zeros(5), np.zeros((5, 1)))
    found = predict_baselines(blind, np.array([[0.0, np.nan]] * 5), blind.of(np.array([1, 2])))
    assert tuple(found) == ("prior", "position", "histogram")
    assert all(values.tolist() == [[0.0, 0.5]] * 2 for values in found.values())


def test_weights_make_the_prior_a_weighted_share_and_are_passed_over_where_none_weighs() -> None:
    truth, weights = np.array([[1.0], [0.0], [0.0]]), np.array([3.0, 1.0, 0.0])
    assert constant_prior(truth, weights).tolist() == [0.75]
    assert known_prior(truth, np.zeros(3)).tolist() == pytest.approx([1 / 3])
    many = np.repeat(truth, 40, axis=0)
    trees = fit_trees(np.zeros((120, 1)), many, weights=np.repeat(weights, 40))
    assert trees.predict(np.zeros((1, 1)))[0, 0] == pytest.approx(0.75, abs=1e-3)


def test_scores_of_baselines_are_equal_with_and_without_a_model() -> None:
    from wetread.evaluation.evaluate import evaluate

    rng = np.random.default_rng(4)
    truth = (rng.random((200, 3)) < 0.3).astype(float)
    given = {"prior": rng.random((200, 3)), "header": rng.random((200, 3))}
    rows = rows_of(truth)
    alone = evaluate_baselines(rows, given, np.random.default_rng(0))
    beside = evaluate(rows, rng.random((200, 3)), np.random.default_rng(0), baselines=given)
    kept = [one for one in beside if one.metric.endswith(("_prior", "_header"))]
    assert [vars(one) for one in alone] == [vars(one) for one in kept]
