"""tests/pages/test_charts.py: curves are those of the scores, as XML with ids of their own."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np

from wetread.pages.charts import (
    MOST_POINTS,
    History,
    make_curves,
    precision_recall_chart,
    reliability_chart,
    roc_chart,
    thinned,
    training_chart,
)


def drawn_from(size: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Truth (N, 2) and probabilities (N, 2); of the second finding no image is positive."""
    rng = np.random.default_rng(1)
    truth = np.stack([rng.random(size) < 0.4, np.zeros(size)], axis=1).astype(np.float64)
    return truth, np.clip(0.6 * truth + 0.4 * rng.random((size, 2)), 0, 1)


def test_a_curve_runs_from_corner_to_corner_and_its_area_is_the_roc_auc() -> None:
    from sklearn.metrics import auc, roc_auc_score

    truth, probability = drawn_from()
    curves, empty = make_curves(truth, probability, ("any", "rare"))
    assert (curves.false_rate[0], curves.true_rate[0]) == (0, 0)
    assert (curves.false_rate[-1], curves.true_rate[-1]) == (1, 1)
    area = auc(curves.false_rate, curves.true_rate)
    assert np.isclose(area, roc_auc_score(truth[:, 0], probability[:, 0]))
    assert curves.prevalence == truth[:, 0].mean()
    assert (len(empty.true_rate), len(empty.recall)) == (0, 0)


def test_charts_are_xml_whose_ids_do_not_meet() -> None:
    curves = make_curves(*drawn_from(), ("any", "rare"))
    epochs = ({"epoch": 0, "loss": 0.5, "value": 0.4, "kept": True}, {"epoch": 1, "loss": 0.3})
    charts = [
        draw(curves, "any") for draw in (roc_chart, precision_recall_chart, reliability_chart)
    ]
    charts.append(training_chart((History("model", epochs),)))
    ids = [set(re.findall(r'\bid="([^"]*)"', chart)) for chart in charts]
    assert all(ElementTree.fromstring(chart).tag.endswith("svg") for chart in charts)
    assert len(set.union(*ids)) == sum(map(len, ids))


def test_a_long_curve_keeps_both_ends_and_its_course() -> None:
    x = np.linspace(0, 1, 5000)
    few_x, few_y = thinned(x, x**2)
    assert len(few_x) <= MOST_POINTS + 2
    assert (few_x[0], few_x[-1]) == (0, 1)
    assert np.array_equal(few_y, few_x**2)
    assert np.diff(few_x).max() < 0.01
