"""tests/tasks/embolism/test_metric.py: the official loss by hand, plainly and in closed form."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss

from wetread.labels.exams import Exams
from wetread.tasks.embolism.findings import EXAM_NAMES
from wetread.tasks.embolism.metric import (
    best_constants,
    constant_exams,
    exam_loss,
    exam_losses,
    mean_exam_weight,
    positive_share,
)

# The competition's, written out once more: negative, RV/LV >= 1, < 1, left, chronic, right, acute
# and chronic, central, indeterminate; and the image's.
WEIGHTS = (
    0.0736196319, 0.2346625767, 0.0782208589, 0.06257668712, 0.1042944785, 0.06257668712,
    0.1042944785, 0.1877300613, 0.09202453988,
)  # fmt: skip
IMAGE_WEIGHT = 0.07361963


def plain_loss(truth: Exams, said: Exams) -> float:
    """The formula, label by label."""
    above, below = [], []

    def entropy(label: float, probability: float) -> float:
        p = min(max(probability, 1e-15), 1 - 1e-15)
        return -(label * math.log(p) + (1 - label) * math.log(1 - p))

    for exam in range(len(truth.study)):
        for column, weight in enumerate(WEIGHTS):
            label = float(truth.study[exam][column])
            if not math.isnan(label):
                above.append(weight * entropy(label, float(said.study[exam][column])))
                below.append(weight)
        start, end = int(truth.starts[exam]), int(truth.starts[exam + 1])
        known = [k for k in range(start, end) if not math.isnan(truth.image[k])]
        if known:
            share = math.fsum(float(truth.image[k]) for k in known) / len(known)
            for k in known:
                loss = entropy(float(truth.image[k]), float(said.image[k]))
                above.append(IMAGE_WEIGHT * share * loss)
                below.append(IMAGE_WEIGHT * share)
    return math.fsum(above) / math.fsum(below) if math.fsum(below) > 0 else math.nan


def exams(sizes: Sequence[int], seed: int, unknown: float = 0.0) -> tuple[Exams, Exams]:
    """Truth and probabilities; a third of the exams without a positive image, and probabilities
    that reach 0 and 1."""
    rng = np.random.default_rng(seed)
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    density = np.repeat(rng.choice([0.0, 0.2, 0.9], len(sizes)), sizes)
    study = (rng.random((len(sizes), 9)) < 0.4).astype(float)
    image = (rng.random(starts[-1]) < density).astype(float)
    study[rng.random(study.shape) < unknown] = np.nan
    image[rng.random(image.shape) < unknown] = np.nan
    said = [
        np.where(
            rng.random(part.shape) < 0.1, rng.choice([0.0, 1.0], part.shape), rng.random(part.shape)
        )
        for part in (study, image)
    ]
    return Exams(study, image, starts), Exams(said[0], said[1], starts)


def one(study: Sequence[float], image: Sequence[float]) -> Exams:
    return Exams(np.array([study], float), np.array(image, float), np.array([0, len(image)]))


def test_one_positive_exam_of_four_images_by_hand() -> None:
    truth = one([0, 1, 0, 0, 0, 1, 0, 1, 0], [0, 1, 0, 0])
    said = one([0.25, 0.5, 0.5, 0.5, 0.25, 0.5, 0.5, 0.75, 0.5], [0.5, 0.25, 0.5, 0.5])
    # q = 1/4. Labels said with 0.5 cost ln 2; "no" at 0.25 and "yes" at 0.75 cost ln 4/3.
    sure = 0.0736196319 + 0.1042944785 + 0.1877300613
    whole = sum(WEIGHTS)
    image = IMAGE_WEIGHT / 4
    over = sure * math.log(4 / 3) + (whole - sure) * math.log(2)
    over += image * (3 * math.log(2) + math.log(4))
    assert exam_loss(truth, said) == pytest.approx(over / (whole + 4 * image), abs=1e-12)


def test_images_of_an_exam_without_a_positive_one_do_not_count() -> None:
    truth = one([1, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0])
    good, bad = (one([0.75] + [0.25] * 8, [value] * 3) for value in (0.01, 0.99))
    assert exam_loss(truth, good) == exam_loss(truth, bad) == pytest.approx(math.log(4 / 3))


def test_one_image_that_is_positive_weighs_its_whole_weight() -> None:
    truth = one([math.nan] * 8 + [0], [1])
    said = one([0.5] * 9, [0.125])
    over = WEIGHTS[8] * math.log(2) + IMAGE_WEIGHT * math.log(8)
    assert exam_loss(truth, said) == pytest.approx(over / (WEIGHTS[8] + IMAGE_WEIGHT), abs=1e-12)


def test_an_image_of_unknown_label_is_not_there() -> None:
    truth, said = exams([6], seed=1)
    some = Exams(truth.study, np.append(truth.image, np.nan), np.array([0, 7]))
    more = Exams(said.study, np.append(said.image, 0.3), np.array([0, 7]))
    assert exam_loss(some, more) == exam_loss(truth, said)


def test_nothing_known_is_no_number() -> None:
    truth = one([math.nan] * 9, [math.nan])
    assert math.isnan(exam_loss(truth, one([0.5] * 9, [0.5])))
    assert math.isnan(positive_share(truth)[0])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=8), st.integers(0, 10**6), st.booleans())
def test_it_is_the_formula_in_plain_python(sizes: list[int], seed: int, unknown: bool) -> None:
    truth, said = exams(sizes, seed, 0.2 * unknown)
    assert exam_loss(truth, said) == pytest.approx(plain_loss(truth, said), abs=1e-9, nan_ok=True)


def test_it_is_sklearns_log_loss_under_the_same_weights() -> None:
    rng = np.random.default_rng(5)
    sizes = rng.integers(1, 60, 300)
    truth, said = exams(sizes.tolist(), seed=6)
    share = [truth.image[a:b].mean() for a, b in zip(truth.starts, truth.starts[1:], strict=False)]
    weight = np.concatenate([np.tile(WEIGHTS, 300), IMAGE_WEIGHT * np.repeat(share, sizes)])
    labels = np.concatenate([truth.study.ravel(), truth.image])
    probability = np.concatenate([said.study.ravel(), said.image]).clip(1e-15, 1 - 1e-15)
    expected = log_loss(labels, probability, sample_weight=weight)
    assert exam_loss(truth, said) == pytest.approx(expected, abs=1e-9)


def test_parts_of_exams_add_up_whatever_is_beside_them() -> None:
    truth, said = exams([3, 0, 9, 1, 30], seed=7)
    parts = exam_losses(truth, said)
    alone = [exam_losses(truth.select(exam), said.select(exam)) for exam in range(5)]
    assert parts.loss == pytest.approx([part.loss[0] for part in alone], abs=1e-12)
    assert parts.weight == pytest.approx([part.weight[0] for part in alone], abs=1e-12)
    assert mean_exam_weight(truth) == pytest.approx(parts.weight.mean(), abs=1e-12)


def test_a_missing_probability_is_refused_and_not_left_out() -> None:
    truth, said = exams([4], seed=1)
    with pytest.raises(ValueError, match="exam 0, rv_lv_ratio_lt_1, whose label is known; 1 such"):
        exam_loss(
            truth, Exams(np.where(np.arange(9) == 2, np.nan, said.study), said.image, said.starts)
        )
    lost = np.where(np.arange(4) == 3, np.nan, said.image)
    with pytest.raises(ValueError, match="image 3, whose label is known; 1 such"):
        exam_loss(truth, Exams(said.study, lost, said.starts))
    with pytest.raises(ValueError, match="give both of the same exams"):
        exam_loss(truth, exams([2, 2], seed=1)[1])


def test_no_other_constants_cost_less_than_the_best_ones() -> None:
    truth, _ = exams([3, 0, 9, 1, 30, 12, 5], seed=8)
    study, image = best_constants(truth)
    least = exam_loss(truth, constant_exams(truth, study, image))
    moved = [
        exam_loss(
            truth,
            constant_exams(truth, (study + step * (np.arange(9) == column)).clip(0, 1), image),
        )
        for column in range(9)
        for step in (-0.02, 0.02)
    ]
    moved += [
        exam_loss(truth, constant_exams(truth, study, image + step)) for step in (-0.02, 0.02)
    ]
    assert min(moved) > least


def test_the_best_constant_of_an_image_is_the_mean_weighted_by_q() -> None:
    # Exams of 4 images with 1 positive and of 2 with both: q is 1/4 and 1.
    truth = Exams(np.zeros((3, 9)), np.array([0, 1, 0, 0, 1, 1, 0.0]), np.array([0, 4, 6, 7]))
    assert best_constants(truth)[1] == pytest.approx((0.25 * 1 + 1 * 2) / (0.25 * 4 + 1 * 2))


@pytest.fixture(scope="module")
def table(real_data: Path) -> pl.DataFrame:
    """The real exams, 7,279 of them."""
    path = real_data / "embolism" / "exam_labels.csv"
    if not path.is_file():
        pytest.skip(f"no file {path}")
    return pl.read_csv(path, infer_schema_length=None)


def counted_exams(table: pl.DataFrame) -> Exams:
    """Select the exams of which the number of positive images is known. An exam without any, whose
    length is not known, stands with one image: its images weigh nothing."""
    table = table.filter(pl.col("n_positive_slices").is_not_null())
    sizes = table["n_slices"].fill_null(1).to_numpy()
    positive = table["n_positive_slices"].to_numpy()
    starts = np.concatenate([[0], np.cumsum(sizes)])
    place = np.arange(starts[-1]) - np.repeat(starts[:-1], sizes)
    image = (place < np.repeat(positive, sizes)).astype(float)
    return Exams(table.select(EXAM_NAMES).to_numpy().astype(float), image, starts)


def entropy(share: float) -> float:
    return -share * math.log(share) - (1 - share) * math.log(1 - share)


def test_the_constants_of_the_real_exams_score_as_the_closed_form_says(
    table: pl.DataFrame,
) -> None:
    truth = counted_exams(table)
    assert len(truth) == 7200
    said = constant_exams(truth, *best_constants(truth))
    # A constant equal to a label's share costs its binary entropy h (natural log). The
    # images of exam i weigh w q_i n_i = w m_i with m_i positive ones, so with M = sum m_i the best
    # constant of an image is c = sum q_i m_i / M, and all images together cost w M h(c):
    #     score = (N sum_j w_j h(share_j) + w M h(c)) / (N sum_j w_j + w M).
    exams_part = sum(w * entropy(truth.study[:, j].mean()) for j, w in enumerate(WEIGHTS))
    sizes = np.diff(truth.starts)
    m = np.add.reduceat(truth.image, truth.starts[:-1])
    total = m.sum()
    c = (m / sizes * m).sum() / total
    under = len(truth) * sum(WEIGHTS) + IMAGE_WEIGHT * total
    score = (len(truth) * exams_part + IMAGE_WEIGHT * total * entropy(c)) / under
    assert exam_loss(truth, said) == pytest.approx(score, abs=1e-9)
    parts = exam_losses(truth, said)
    assert parts.study_loss.sum() / parts.study_weight.sum() == pytest.approx(exams_part, abs=1e-9)
    assert score == pytest.approx(0.45505, abs=5e-6)


def test_the_exam_part_of_all_real_exams_is_the_known_0_318(table: pl.DataFrame) -> None:
    study = table.select(EXAM_NAMES).to_numpy().astype(float)
    truth = Exams(study, np.zeros(0), np.zeros(len(study) + 1, dtype=np.int64))
    assert exam_loss(truth, constant_exams(truth, *best_constants(truth))) == pytest.approx(
        0.318, abs=5e-4
    )


def test_exams_of_which_none_has_an_embolus_are_scored_beside_their_best_constants() -> None:
    """There was no constant for their images, and so no score at all."""
    truth = Exams(np.eye(9)[[0, 0]], np.zeros(3), np.array([0, 2, 3]))
    study, image = best_constants(truth)
    assert image == 0.0
    assert exam_loss(truth, constant_exams(truth, study, image)) == pytest.approx(0.0, abs=1e-12)
    unknown = Exams(np.eye(9)[[0, 0]], np.full(3, np.nan), np.array([0, 2, 3]))
    assert np.isnan(best_constants(unknown)[1])
