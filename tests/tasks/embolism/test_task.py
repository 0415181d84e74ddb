"""tests/tasks/embolism/test_task.py: what the task of exams teaches, minimises and settles."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from wetread.labels.exams import Exams
from wetread.tasks import find_task
from wetread.tasks.embolism.consistency import LABELS, broken_rules, consistent_answers
from wetread.tasks.embolism.exams import as_scored
from wetread.tasks.embolism.findings import EXAM_NAMES, NOT_POSITIVE, RATIOS
from wetread.tasks.embolism.loss import series_exam_loss
from wetread.tasks.embolism.metric import exam_loss
from wetread.tasks.embolism.rules import RULES
from wetread.training.series.batches import pad_series
from wetread.training.series.series import Series

TASK = find_task("embolism")


def study(**labels: float) -> np.ndarray:
    """(1, 10) labels of a study by name, else 0."""
    return np.array([[labels.get(name, 0.0) for name in (*EXAM_NAMES, "positive_exam")]])


def random_series(rng: np.random.Generator, count: int = 9) -> Series:
    """Exams of random lengths with labels of every kind, some unknown."""
    lengths = rng.integers(1, 12, count)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    labels = (rng.random((count, LABELS + 1)) < 0.4).astype(np.float64)
    undefined = (labels[:, list(NOT_POSITIVE)] > 0.5).any(1)
    labels[np.ix_(undefined, np.array(RATIOS))] = np.nan
    labels[rng.random(labels.shape) < 0.05] = np.nan
    image = (rng.random((starts[-1], 1)) < 0.3).astype(np.float64)
    names = tuple(map(str, range(count)))
    return Series(
        np.arange(starts[-1]),
        starts,
        np.arange(starts[-1], dtype=float),
        image,
        labels,
        names,
        names,
    )


@pytest.mark.parametrize("seed", range(5))
def test_what_is_minimised_over_a_whole_set_is_the_official_loss(seed: int) -> None:
    rng = np.random.default_rng(seed)
    series = random_series(rng)
    image = rng.normal(0, 2, len(series.rows))
    of_study = rng.normal(0, 2, series.study.shape)
    pieces = list(zip(series.starts[:-1], series.starts[1:], strict=True))
    batch = pad_series(
        [np.zeros((high - low, 1), np.float32) for low, high in pieces],
        [series.image[low:high] for low, high in pieces],
        series.study,
    )
    logits = torch.zeros(*batch.valid.shape, 1, dtype=torch.float64)
    logits[batch.valid] = torch.from_numpy(image)[:, None]
    batch = replace(batch, image=batch.image.double(), study=batch.study.double())
    said = series_exam_loss(series, positive_exam_weight=0.0)(
        logits, torch.from_numpy(of_study), batch
    )
    truth = as_scored(Exams(series.study[:, :LABELS], series.image[:, 0], series.starts))
    sigmoid = Exams(
        1 / (1 + np.exp(-of_study[:, :LABELS])), 1 / (1 + np.exp(-image)), series.starts
    )
    assert float(said) == pytest.approx(exam_loss(truth, sigmoid), abs=1e-9)


def test_settled_answers_break_no_rule_and_positive_exam_says_what_they_say() -> None:
    rng = np.random.default_rng(0)
    series = random_series(rng, 400)
    image, told = rng.random((len(series.rows), 1)), rng.random(series.study.shape)
    assert any(broken_rules(image, told, series.starts))
    settled_image, settled = consistent_answers(image, told, series.starts)
    assert not any(broken_rules(settled_image, settled, series.starts))
    exams = Exams(settled[:, :LABELS], settled_image[:, 0], series.starts)
    assert not RULES.broken_rules(exams).any()
    positive = (settled[:, list(NOT_POSITIVE)] <= 0.5).all(1)
    np.testing.assert_array_equal(settled[:, LABELS] > 0.5, positive)
    some = np.logical_or.reduceat(settled_image[:, 0] > 0.5, series.starts[:-1])
    np.testing.assert_array_equal(some, positive)


def test_a_consistent_exam_is_left_as_it_is() -> None:
    told = study(negative_exam_for_pe=0.9, positive_exam=0.1)
    image = np.full((4, 1), 0.2)
    settled_image, settled = consistent_answers(image, told, np.array([0, 4]))
    np.testing.assert_array_equal(settled_image, image)
    np.testing.assert_array_equal(settled, told)
    assert broken_rules(image, told, np.array([0, 4])) == [()]


def test_left_and_right_are_each_other_s_mirror_images_at_both_levels() -> None:
    of = {finding.name: finding.mirror for finding in TASK.findings}
    assert of["leftsided_pe"] == "rightsided_pe"
    assert of["rightsided_pe"] == "leftsided_pe"
    taught = {f.name: f.mirror for f in TASK.spec.encoders[0].findings}  # type: ignore[union-attr]
    assert taught["leftsided_pe"] == "rightsided_pe"
    assert all(mirror is None for name, mirror in of.items() if "sided" not in name)
