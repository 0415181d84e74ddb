"""tests/evaluation/test_mask_scores.py: scores and intervals against copied rows, closed forms."""

import numpy as np
import pytest

from wetread.evaluation.dice import all_empty_dice
from wetread.evaluation.intervals import bootstrap
from wetread.evaluation.mask_scores import mask_scores, size_bounds, size_thirds
from wetread.evaluation.score import Score


def sample(count: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Dice, true areas (a fifth positive, some unknown) and patients of one to several images."""
    rng = np.random.default_rng(seed)
    positive = rng.random(count) < 0.3
    area = np.where(positive, rng.integers(100, 9000, count), 0).astype(float)
    dice = np.where(
        positive, rng.random(count) * (rng.random(count) < 0.8), rng.random(count) < 0.9
    )
    area[rng.random(count) < 0.1] = np.nan
    dice[np.isnan(area)] = np.nan
    return dice.astype(float), area, [f"p{number}" for number in rng.integers(0, 60, count)]


def by_name(
    dice: np.ndarray, area: np.ndarray, patients: list[str], **more: int
) -> dict[str, Score]:
    rng = np.random.default_rng(7)
    scores = mask_scores(
        dice, area, patients, finding="pneumothorax", split="held_out", rng=rng, **more
    )
    assert {(s.level, s.finding, s.split) for s in scores} == {
        ("pixel", "pneumothorax", "held_out")
    }
    return {score.metric: score for score in scores}


def test_each_mean_is_over_its_own_images() -> None:
    dice, area, patients = sample()
    scores = by_name(dice, area, patients)
    known, positive = ~np.isnan(area), area > 0
    empty = known & ~positive
    gain = dice - all_empty_dice(area)
    for metric, values, rows in (
        ("dice", dice, known),
        ("dice_all_empty", (area == 0).astype(float), known),
        ("dice_gain", gain, known),
        ("dice_positives", dice, positive),
        ("accuracy_on_empties", dice, empty),
    ):
        assert scores[metric].value == pytest.approx(values[rows].mean())
        assert scores[metric].patients == len({patients[row] for row in np.flatnonzero(rows)})
        assert scores[metric].positives == (rows & positive).sum()
        assert scores[metric].reason is None
    of = {name: score.value or 0.0 for name, score in scores.items()}
    share = of["dice_all_empty"]
    parts = share * of["accuracy_on_empties"] + (1 - share) * of["dice_positives"]
    assert of["dice"] == pytest.approx(parts)
    assert of["dice_gain"] == pytest.approx(of["dice"] - share)


@pytest.mark.parametrize("metric", ["dice", "dice_gain", "dice_positives", "accuracy_on_empties"])
def test_intervals_are_those_of_patients_drawn_and_rows_copied(metric: str) -> None:
    dice, area, patients = sample()
    empty = (area == 0).astype(float)
    known, positive = ~np.isnan(area), area > 0
    values, inside = {
        "dice": (dice, known),
        "dice_gain": (dice - empty, known),
        "dice_positives": (dice, positive),
        "accuracy_on_empties": (dice, known & ~positive),
    }[metric]
    slow = bootstrap(
        lambda rows: float(values[rows][inside[rows]].mean()), patients, np.random.default_rng(7)
    )
    score = by_name(dice, area, patients)[metric]
    assert (score.low, score.high) == pytest.approx(slow)


def test_the_gain_is_paired_image_by_image() -> None:
    dice, area, patients = sample(400)
    scores = by_name(dice, area, patients)

    def width(name: str) -> float:
        return (scores[name].high or 0.0) - (scores[name].low or 0.0)

    both = np.hypot(width("dice"), width("dice_all_empty"))  # of two cohorts that know nothing
    assert width("dice_gain") < 0.9 * both
    nothing = by_name((area == 0).astype(float) + 0 * area, area, patients)["dice_gain"]
    assert (nothing.value, nothing.low, nothing.high) == (0, 0, 0)


def test_sensitivity_by_thirds_of_the_true_area() -> None:
    area = np.array([0, 10, 20, 30, 40, 50, 60, np.nan])
    dice = np.array([1, 0, 0.1, 0, 0.2, 0.9, 0.8, np.nan])
    scores = by_name(dice, area, list("abcdefgh"))
    found = [scores[f"sensitivity_{size}"] for size in ("small", "medium", "large")]
    assert [score.value for score in found] == [0.5, 0.5, 1.0]
    assert [score.positives for score in found] == [2, 2, 2]
    assert size_bounds(area) == pytest.approx((10 + 50 / 3, 10 + 100 / 3))
    thirds = np.array(size_thirds(area))
    np.testing.assert_array_equal(thirds.sum(axis=0), [0, 1, 1, 1, 1, 1, 1, 0])


def test_thirds_of_equal_areas_hold_every_positive_once() -> None:
    for areas in ([5.0], [5.0, 5.0], [5.0, 5.0, 5.0, 9.0], [np.nan, 0.0]):
        thirds = np.array(size_thirds(np.array(areas)))
        np.testing.assert_array_equal(thirds.sum(axis=0), np.nan_to_num(areas) > 0)


def test_what_cannot_be_said_is_null_with_its_reason() -> None:
    empties = by_name(np.array([1.0, 0, 1]), np.zeros(3), list("abc"))
    assert empties["dice"].value is None
    assert empties["dice"].reason == "no positive image of 3 known masks"
    assert empties["accuracy_on_empties"].value == pytest.approx(2 / 3)
    assert empties["dice_positives"].value is None
    assert empties["dice_positives"].reason == "no positive image of 3 known masks"
    assert (
        empties["sensitivity_small"].reason == "no small one among the positives of 3 known masks"
    )
    full = by_name(np.array([0.5, 0.4]), np.array([5.0, 9]), list("ab"))
    assert full["accuracy_on_empties"].reason == "no image without the finding of 2 known masks"
    alone = by_name(np.array([0.5, 0.4]), np.array([5.0, 9]), list("aa"))
    assert alone["dice"].reason == "no interval: one patient"
    unknown = by_name(np.array([np.nan]), np.array([np.nan]), ["a"])
    assert unknown["dice"].reason == "no known mask"
    assert unknown["dice"].value is None
    assert by_name(*sample(), draws=0)["dice"].low is None


def test_an_image_without_dice_but_of_known_truth_is_refused() -> None:
    with pytest.raises(ValueError, match="row 1 has no Dice"):
        by_name(np.array([1, np.nan]), np.zeros(2), list("ab"))
    with pytest.raises(ValueError, match="2 patients ask for"):
        by_name(np.zeros(3), np.zeros(3), list("ab"))


def test_of_empty_masks_alone_there_is_no_dice() -> None:
    scores = mask_scores(
        np.array([1.0, 0.0, 1.0]), np.array([0.0, 0.0, np.nan]), list("pqr"), finding="a",
        split="held_out", rng=np.random.default_rng(0),
    )  # fmt: skip
    values = {one.metric: one.value for one in scores}
    assert values["dice"] is values["dice_gain"] is values["dice_all_empty"] is None
    assert values["accuracy_on_empties"] == 0.5
