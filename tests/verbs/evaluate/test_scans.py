"""tests/verbs/evaluate/test_scans.py: masks drawn along series against the true ones."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.inputs.test_truth_masks import COLUMNS, ROWS, series

from wetread.archive.index.index import Index
from wetread.archive.index.schema import REJECT_SCHEMA
from wetread.inputs.predictions import Predictions
from wetread.labels.rle import encode
from wetread.labels.table import LABEL_SCHEMA, MASK_SCHEMA, LabelTable, label_table
from wetread.tasks import find_task
from wetread.verbs.evaluate.scans import score_scans

CLOT = "pe_present_on_image"
OWNERS = {"image": {f"a{z}": "p" for z in range(4)}}


def table(masks: dict[str, np.ndarray]) -> LabelTable:
    frame = [("image", name, CLOT, float(mask.any())) for name, mask in masks.items()]
    rows = [
        (name, CLOT, "relative", [encode(mask)] if mask.any() else [])
        for name, mask in masks.items()
    ]
    labels = label_table(pl.DataFrame(frame, schema=LABEL_SCHEMA, orient="row"))
    drawn = pl.DataFrame(rows, schema=MASK_SCHEMA, orient="row")
    return LabelTable(labels.frame, labels.conflicts, 0, masks=drawn)


def square(at: int) -> np.ndarray:
    mask = np.zeros((ROWS, COLUMNS), bool)
    mask[1:3, at : at + 2] = True
    return mask


NOTHING = np.zeros((ROWS, COLUMNS), bool)
TRUTH = table({"a0": square(0), "a1": square(0), "a2": NOTHING, "a3": square(6)})
# Of the first lesion one slice of two is drawn, the second is missed, and one is drawn in vain.
DRAWN = table({"a0": square(0), "a1": NOTHING, "a2": square(4), "a3": NOTHING})


def predicted(masks: LabelTable) -> Predictions:
    index = Index(series("a").lazy(), pl.DataFrame(schema=REJECT_SCHEMA), 0)
    return Predictions(Path("read"), find_task("embolism"), masks, index=index)


def test_a_scan_is_scored_by_overlap_lesions_and_millilitres() -> None:
    scores = score_scans(predicted(DRAWN), TRUTH, OWNERS)
    assert not isinstance(scores, str)
    value = {one.metric: one.value for one in scores}
    voxel_ml = 2.0 * 0.5 * 0.75 / 1000
    assert value["dice"] == pytest.approx(2 * 4 / (12 + 8))
    assert value["lesion_recall"] == 0.5
    assert value["false_lesions"] == 1.0
    assert value["truth_ml"] == pytest.approx(12 * voxel_ml)
    assert value["drawn_ml"] == pytest.approx(8 * voxel_ml)


def test_a_series_with_an_unknown_slice_is_no_scan_to_score() -> None:
    kept = TRUTH.frame.filter(pl.col("id") != "a2")
    known = LabelTable(kept, TRUTH.conflicts, 0, masks=TRUTH.masks.filter(pl.col("id") != "a2"))
    assert score_scans(predicted(DRAWN), known, OWNERS) == "no true mask of a whole series is known"


def test_an_empty_drawing_along_a_series_is_stated() -> None:
    empty = table({})
    assert score_scans(predicted(empty), TRUTH, OWNERS) == "no mask was drawn along a series"
