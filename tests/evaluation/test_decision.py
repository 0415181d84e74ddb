"""tests/evaluation/test_decision.py: sums against pixels, the choice against all rules, and no
threshold from the images it is scored on."""

import itertools
import time
from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from wetread.evaluation.decision import (
    AREAS,
    BOTTOMS,
    TOPS,
    MaskSums,
    MaskThresholds,
    apply_thresholds,
    choose_thresholds,
    dice_with_thresholds,
    mask_sums,
    reaches_area,
)
from wetread.evaluation.dice import dice

rules = st.builds(
    MaskThresholds, st.sampled_from(TOPS), st.sampled_from(AREAS), st.sampled_from(BOTTOMS)
)


def dice_of_masks(predicted: np.ndarray, truth: np.ndarray) -> float:
    counts = (np.count_nonzero(mask) for mask in (predicted & truth, predicted, truth))
    return float(dice(*counts))


def stack(parts: Sequence[MaskSums]) -> MaskSums:
    """The sums of several images as one, in their order."""
    names = [field.name for field in fields(MaskSums)]
    return MaskSums(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def image(seed: int, size: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """A smooth map and a true mask near its hills; every third is of nothing."""
    rng = np.random.default_rng(seed)
    hills = gaussian_filter(rng.normal(size=(size, size)), 4)
    doubt = rng.uniform(3, 6) + 6 * (seed % 3 == 0)
    probability = (1 / (1 + np.exp(-60 * hills + doubt))).astype(np.float32)
    truth = hills + gaussian_filter(rng.normal(size=(size, size)), 3) * 0.3 > 0.08
    return probability, truth & (seed % 3 > 0)


def cohort(count: int, start: int = 0) -> tuple[list[tuple[np.ndarray, np.ndarray]], MaskSums]:
    images = [image(seed) for seed in range(start, start + count)]
    return images, stack([mask_sums(*one) for one in images])


def random_sums(count: int, seed: int) -> MaskSums:
    """Counts as large as those of 1024 x 1024 pixels, a fifth positive."""
    rng = np.random.default_rng(seed)
    positive = rng.random(count) < 0.22
    truth = np.where(positive, rng.integers(2000, 120_000, count), 0).astype(float)
    seen = positive | (rng.random(count) < 0.3)
    size = -np.sort(-rng.integers(0, 60_000, (count, len(BOTTOMS))), axis=1) * seen[:, None]
    above = -np.sort(-rng.integers(0, 5000, (count, len(TOPS))), axis=1) * seen[:, None]
    overlap = (np.minimum(size, truth[:, None]) * rng.random((count, 1))).astype(np.int64)
    return MaskSums(above, size, overlap, truth, np.full(count, 1024 * 1024))


@settings(deadline=None)
@given(st.integers(0, 10_000), rules)
def test_dice_from_sums_is_that_of_the_decided_mask(seed: int, rule: MaskThresholds) -> None:
    probability, truth = image(seed)
    sums = mask_sums(probability, truth)
    predicted = apply_thresholds(probability, rule)
    assert dice_with_thresholds(sums, rule)[0] == dice_of_masks(predicted, truth)
    if not reaches_area(sums, rule)[0]:
        assert not predicted.any()


def test_pixels_right_at_a_threshold_are_counted_as_they_are_decided() -> None:
    steps = np.array(sorted({*TOPS, *BOTTOMS}), np.float32)
    near = [steps, np.nextafter(steps, np.float32(0)), np.nextafter(steps, np.float32(1))]
    probability = np.concatenate([*near, np.zeros(1, np.float32), np.ones(1, np.float32)])[None]
    truth = np.arange(probability.size)[None] % 2 == 0
    sums = mask_sums(probability, truth)
    for column, bottom in enumerate(BOTTOMS):
        predicted = apply_thresholds(probability, MaskThresholds(0.3, 0.0, bottom))
        assert sums.size[0, column] == predicted.sum()
        assert sums.overlap[0, column] == (predicted & truth).sum()
    for column, top in enumerate(TOPS):
        assert sums.above[0, column] == (probability >= np.float32(top)).sum()


def test_the_area_is_a_share_of_the_image_at_every_size() -> None:
    for size in (64, 256, 1024):
        probability = np.zeros((size, size), np.float32)
        probability.ravel()[: round(0.002 * size * size)] = 0.8
        assert apply_thresholds(probability, MaskThresholds(0.75, 0.0019, 0.3)).any()
        assert not apply_thresholds(probability, MaskThresholds(0.75, 0.0021, 0.3)).any()
        assert not apply_thresholds(probability, MaskThresholds(0.85, 0.0001, 0.3)).any()
    assert (min(AREAS), max(AREAS)) == (0, 0.004)
    assert any(abs(area - 2000 / 1024**2) < 0.00005 for area in AREAS)


def test_the_chosen_rule_is_the_best_of_all_and_calls_least_among_equals() -> None:
    images, sums = cohort(12)
    rows = np.array([0, 2, 3, 4, 5, 7, 8, 10, 11])
    best = max(
        itertools.product(AREAS, TOPS, BOTTOMS),
        key=lambda at: (
            round(dice_with_thresholds(sums, MaskThresholds(at[1], at[0], at[2]))[rows].mean(), 10),
            at,
        ),
    )
    chosen = choose_thresholds(sums, rows)
    assert (chosen.area, chosen.top, chosen.bottom) == best
    drawn = [
        dice_of_masks(apply_thresholds(images[row][0], chosen), images[row][1]) for row in rows
    ]
    assert dice_with_thresholds(sums, chosen)[rows].mean() == np.mean(drawn) > 0.5


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_no_rule_of_the_grid_is_better_than_the_chosen_one(seed: int) -> None:
    sums = random_sums(60, seed)
    mean = dice_with_thresholds(sums, choose_thresholds(sums, np.arange(60))).mean()
    rng = np.random.default_rng(seed)
    for top, area, bottom in zip(
        *(rng.choice(grid, 40) for grid in (TOPS, AREAS, BOTTOMS)), strict=True
    ):
        assert (
            dice_with_thresholds(
                sums, MaskThresholds(float(top), float(area), float(bottom))
            ).mean()
            <= mean + 1e-9
        )


def test_images_without_the_finding_alone_choose_the_rule_that_calls_least() -> None:
    sums = stack([mask_sums(image(seed)[0], np.zeros((40, 40), bool)) for seed in range(3)])
    assert choose_thresholds(sums, np.arange(3)) == MaskThresholds(TOPS[-1], AREAS[-1], BOTTOMS[-1])


def test_unknown_masks_have_no_dice_and_no_say() -> None:
    _, sums = cohort(8)
    unknown = stack([sums, mask_sums(np.ones((40, 40), np.float32), None)])
    assert np.isnan(dice_with_thresholds(unknown, MaskThresholds(0.5, 0.0, 0.3))[-1])
    assert choose_thresholds(unknown, np.arange(9)) == choose_thresholds(sums, np.arange(8))
    with pytest.raises(ValueError, match="no known mask"):
        choose_thresholds(unknown, np.array([8]))


def test_thresholds_of_noise_gain_nothing_on_other_images() -> None:
    gained, elsewhere = [], []
    for seed in range(40):
        sums, others = random_sums(30, seed), random_sums(30, 1000 + seed)
        gained.append(dice_with_thresholds(sums, choose_thresholds(sums, np.arange(30))).mean())
        elsewhere.append(
            dice_with_thresholds(sums, choose_thresholds(others, np.arange(30))).mean()
        )
    assert np.mean(elsewhere) < np.mean(gained)


def test_the_choice_is_many_times_as_fast_as_trying_every_rule() -> None:
    sums, rows = random_sums(200, 0), np.arange(200)
    began = time.process_time()
    chosen = choose_thresholds(sums, rows)
    ours = time.process_time() - began
    began = time.process_time()
    grid = [MaskThresholds(t, a, b) for a in AREAS[::10] for t in TOPS for b in BOTTOMS]
    best = max(dice_with_thresholds(sums, rule).mean() for rule in grid)
    assert dice_with_thresholds(sums, chosen).mean() >= best - 1e-9
    assert time.process_time() - began > 2 * ours  # of a tenth of them


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda s: mask_sums(np.full((2, 2), 3.0, np.float32), None), "no probabilities"),
        (lambda s: mask_sums(np.full((2, 2), np.nan, np.float32), None), "no probabilities"),
        (lambda s: mask_sums(np.zeros((2, 2), np.float32), np.zeros((2, 3), bool)), "own grid"),
        (
            lambda s: dice_with_thresholds(s, MaskThresholds(0.33, 0.0, 0.3)),
            "top 0.33 was not counted",
        ),
        (
            lambda s: dice_with_thresholds(s, MaskThresholds(0.3, 0.0, 0.9)),
            "bottom 0.9 was not counted",
        ),
    ],
)
def test_what_would_make_a_false_number_is_refused(act, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        act(cohort(3)[1])
