"""tests/evaluation/test_mask_submission.py: mask files against masks drawn and counted."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wetread.evaluation.dice import dice
from wetread.evaluation.mask_submission import score_mask_submission
from wetread.evaluation.submission import SubmissionScores
from wetread.labels.finding import Finding
from wetread.labels.rle import encode
from wetread.labels.rle_csv import read_rle_csv
from wetread.labels.table import CONFLICT_SCHEMA, LABEL_SCHEMA, MASK_SCHEMA, LabelError, LabelTable

NAME = "air"
FINDINGS = (Finding(NAME),)
SHAPE = (12, 16)


def table(
    masks: dict[str, list[np.ndarray]], values: dict[str, float | None], form: str = "relative"
) -> LabelTable:
    """Labels of `values`; masks of those that have one, each of several parts."""
    rows = [("image", image, NAME, value) for image, value in values.items()]
    texts = [(i, NAME, form, [encode(part, form) for part in parts]) for i, parts in masks.items()]
    return LabelTable(
        pl.DataFrame(rows, LABEL_SCHEMA, orient="row"),
        pl.DataFrame(schema=CONFLICT_SCHEMA),
        0,
        pl.DataFrame(texts, MASK_SCHEMA, orient="row"),
    )


def blot(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mask = np.zeros(SHAPE, bool)
    row, column = rng.integers(0, 8, 2)
    mask[row : row + rng.integers(2, 6), column : column + rng.integers(2, 8)] = True
    return mask


def scored(truth: LabelTable, told: LabelTable, patients: bool = False) -> SubmissionScores:
    who = {f"i{number}": f"p{number // 2}" for number in range(20)}
    shapes = {f"i{number}": SHAPE for number in range(20)}
    return score_mask_submission(
        truth,
        told,
        FINDINGS,
        "held_out",
        np.random.default_rng(0),
        who if patients else None,
        shapes,
    )


@pytest.mark.parametrize("form", ["relative", "rows_1", "coco"])
def test_the_score_is_the_mean_dice_of_the_drawn_masks(form: str) -> None:
    truth = {f"i{n}": [blot(n), blot(n + 50)] if n % 3 else [] for n in range(12)}
    told = {f"i{n}": [blot(n + n % 2)] if n % 4 else [] for n in range(12)}
    nothing = np.zeros(SHAPE, bool)

    def union(parts: list[np.ndarray]) -> np.ndarray:
        return np.logical_or.reduce([nothing, *parts])

    pairs = [(union(told[image]), union(truth[image])) for image in truth]
    each = [dice((mask & true).sum(), mask.sum(), true.sum()) for mask, true in pairs]
    known: dict[str, float | None] = {image: float(bool(parts)) for image, parts in truth.items()}
    result = scored(table(truth, known, form), table(told, known), patients=True)
    values = {score.metric: score for score in result.scores}
    assert values["dice"].value == pytest.approx(np.mean(each))
    assert values["dice_all_empty"].value == pytest.approx(4 / 12)
    assert values["dice"].patients == 6
    assert values["dice"].low is not None
    assert result.missing == result.too_many == ()


def test_a_positive_without_its_mask_is_not_scored_and_a_negative_needs_no_row() -> None:
    truth = table({"i1": [blot(1)]}, {"i1": 1, "i2": 0, "i3": 1, "i4": None})
    told = table({"i1": [blot(1)], "i2": [], "i3": [blot(3)], "i4": [], "i9": []}, {"i1": 1})
    result = scored(truth, told)
    values = {score.metric: score for score in result.scores}
    assert values["dice"].value == 1
    assert values["dice"].positives == 1
    assert values["dice"].patients == 0
    assert values["dice"].reason == "no interval: patients are not given"
    assert values["dice_all_empty"].value == 0.5
    assert result.too_many == ("i9",)


def test_a_missing_image_leaves_all_without_a_score() -> None:
    truth = table({"i1": [blot(1)], "i2": []}, {"i1": 1, "i2": 0})
    result = scored(truth, table({"i2": []}, {"i2": 0}))
    assert result.missing == ("i1",)
    assert all(score.value is None for score in result.scores)
    assert result.scores[0].reason == "1 mask missing"


def test_a_mask_that_leaves_its_image_is_refused_with_file_and_image() -> None:
    truth = table({"i1": [], "other": []}, {"i1": 0, "other": 0})
    large = table({"i1": [np.ones((20, 20), bool)], "other": []}, {"i1": 1, "other": 0})
    with pytest.raises(LabelError, match=r"submission: image 'i1': mask_outside.* 12 x 16"):
        scored(truth, large)
    with pytest.raises(LabelError, match="patient of 'other' is not given"):
        scored(truth, table({"i1": [], "other": []}, {}), patients=True)


def test_the_real_masks_score_one_against_themselves_and_147_of_167_when_left_empty(
    real_data: Path,
) -> None:
    path = real_data / "pneumothorax" / "train-rle.csv"
    if not path.is_file():
        pytest.skip(f"no file {path}")
    truth = read_rle_csv(path, (Finding(NAME),))
    images = truth.masks["id"].to_list()
    whole = score_mask_submission(truth, truth, FINDINGS, "held_out", np.random.default_rng(0))
    empty = table({image: [] for image in images}, dict.fromkeys(images, 0.0))
    none = score_mask_submission(truth, empty, FINDINGS, "held_out", np.random.default_rng(0))
    assert [score.value for score in whole.scores[:2]] == [1, 147 / 167]
    assert [score.value for score in none.scores[:3]] == [147 / 167, 147 / 167, 0]
    assert [score.value for score in none.scores[3:5]] == [0, 1]
