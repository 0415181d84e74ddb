"""tests/training/test_decide.py: decisions are chosen on other patients than they are scored on."""

import json

import numpy as np
import polars as pl
import pytest

from wetread.evaluation.decision import MaskThresholds, dice_with_thresholds
from wetread.labels.finding import Finding
from wetread.labels.rle import encode
from wetread.training.decide import DEFAULT, UNCALIBRATED, Decision, decide_finding, with_calibrated
from wetread.training.mask_table import (
    SCHEMA,
    ImageKey,
    mask_rows,
    pack_map,
    sums_of,
    unpack_map,
)
from wetread.training.masks import AnnotatedMask, AnnotatedMasks

SHAPE = (64, 64)


def table(splits: list[tuple[str, int]], seed: int = 0, wrong: str | None = None) -> pl.DataFrame:
    """Images of the given (split, model); a third have a square, drawn as a blurred one.

    wrong: a split whose truth is turned over.
    """
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for number, (split, model) in enumerate(splits):
        mask = np.zeros(SHAPE, bool)
        there = number % 3 == 0
        row, column = rng.integers(0, 40, 2)
        mask[row : row + 20, column : column + 20] = there
        said = np.clip(mask * 0.6 + rng.uniform(0, 0.35, SHAPE), 0, 1).astype(np.float32)
        head = float(np.clip(0.3 + 0.4 * there + rng.normal(0, 0.1), 0.01, 0.99))
        if split == wrong:
            mask, there = ~mask, not there
        drawn = AnnotatedMask((encode(mask),) if mask.any() else (), "relative", SHAPE)
        masks = AnnotatedMasks(
            (Finding("air", "pixel"),), ((drawn,),), (SHAPE,), np.array([[0, 64, 0, 64]])
        )
        place = ImageKey(split, model, f"image {number}", f"patient {number}", number)
        rows += [
            row | {"head": head} for row in mask_rows(place, masks, 0, said[None], [float(there)])
        ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


ONE_SPLIT = [("validation", 0)] * 30 + [("held_out", 0)] * 30
FOLDS = [("out_of_fold", number % 3) for number in range(60)]


def test_a_map_comes_back_to_a_255th() -> None:
    said = np.random.default_rng(0).random((32, 32)).astype(np.float32)
    np.testing.assert_allclose(unpack_map(pack_map(said)), said, atol=0.5 / 255 + 1e-6)


def test_the_truth_of_the_scored_images_chooses_nothing() -> None:
    right, turned = (decide_finding(table(ONE_SPLIT, wrong=w), "air") for w in (None, "held_out"))
    assert right.image_thresholds == turned.image_thresholds
    assert right.decision == turned.decision
    np.testing.assert_array_equal(right.probability, turned.probability)
    assert np.nanmean(right.dice) > 0.8 > np.nanmean(turned.dice)


def test_a_fold_is_decided_by_the_others() -> None:
    rows = table(FOLDS)
    decided = decide_finding(rows, "air")
    changed = rows.with_columns(
        truth_pixels=pl.when(pl.col("model") == 1).then(0.0).otherwise("truth_pixels"),
        truth=pl.when(pl.col("model") == 1).then(1 - pl.col("truth")).otherwise("truth"),
    )
    other = decide_finding(changed, "air")
    own = rows["model"].to_numpy() == 1
    assert [t for t, mine in zip(decided.image_thresholds, own, strict=True) if mine] == [
        t for t, mine in zip(other.image_thresholds, own, strict=True) if mine
    ]
    np.testing.assert_array_equal(decided.probability[own], other.probability[own])
    assert not np.array_equal(decided.probability[~own], other.probability[~own])


def test_the_dice_is_that_of_the_images_own_triplet() -> None:
    rows = table(FOLDS)
    decided = decide_finding(rows, "air")
    sums = sums_of(rows)
    for place, thresholds in enumerate(decided.image_thresholds):
        assert decided.dice[place] == dice_with_thresholds(sums, thresholds)[place]


def test_where_nothing_can_choose_the_head_and_a_plain_rule_stand() -> None:
    rows = table(ONE_SPLIT).with_columns(
        truth_pixels=pl.lit(None, pl.Float64), truth=pl.lit(0.0), runs=None
    )
    decided = decide_finding(rows.cast(SCHEMA), "air")  # type: ignore[arg-type]
    assert decided.decision == Decision(DEFAULT, UNCALIBRATED)
    assert np.isnan(decided.dice).all()
    np.testing.assert_allclose(decided.probability, decided.rows["head"].to_numpy())


def test_a_decision_survives_json() -> None:
    decision = decide_finding(table(ONE_SPLIT), "air").decision
    assert Decision.from_dict(json.loads(json.dumps(decision.to_dict()))) == decision
    assert isinstance(decision.thresholds, MaskThresholds)


def test_predictions_take_the_calibrated_probability_and_studies_the_largest() -> None:
    rows = table(ONE_SPLIT[-6:] + ONE_SPLIT[:6])
    decided = decide_finding(rows, "air")
    ids = decided.rows["id"].to_list()
    said = pl.DataFrame(
        {
            "level": ["image"] * 6 + ["study"] * 3 + ["image"],
            "id": [*ids, "s0", "s1", "s2", ids[0]],
            "study": ["s0", "s0", "s1", "s1", "s2", "s2", "s0", "s1", "s2", "s0"],
            "finding": ["air"] * 9 + ["other"],
            "probability": [0.5] * 10,
        }
    )
    told = with_calibrated(said, decided, "air")["probability"].to_numpy()
    np.testing.assert_allclose(told[:6], decided.probability)
    np.testing.assert_allclose(told[6:9], decided.probability.reshape(3, 2).max(1))
    assert told[9] == pytest.approx(0.5)
