"""tests/reports/test_mask_cases.py: the best, the worst and the needless masks become cases."""

from types import SimpleNamespace
from typing import cast

import numpy as np
import polars as pl

from wetread.evaluation.decision import MaskThresholds
from wetread.labels.rle import encode
from wetread.reports.mask_cases import mask_cases, mask_in_box
from wetread.store.store import Store
from wetread.study.boxes import PixelBox
from wetread.training.decide import DecidedFinding
from wetread.training.mask_table import pack_map

SIDE = 16
THRESHOLDS = MaskThresholds(0.5, 0.0, 0.5)


def film(row: int, drawn: bool, true: bool) -> dict[str, object]:
    """A row of the mask table: the left half is drawn, or has the finding, or neither."""
    half = np.zeros((SIDE, SIDE), np.float32)
    half[:, : SIDE // 2] = 1.0
    truth = half > 0 if true else np.zeros((SIDE, SIDE), bool)
    return {
        "row": row, "rows": SIDE, "columns": SIDE, "map": pack_map(half if drawn else 0 * half),
        "runs": [encode(truth)], "form": "relative", "truth_pixels": float(truth.sum()),
    }  # fmt: skip


def test_cases_are_the_best_the_worst_and_what_is_drawn_where_nothing_is() -> None:
    rows = pl.DataFrame([film(0, True, True), film(1, False, True), film(2, True, False)])
    decided = DecidedFinding(
        rows, np.array([1.0, 0.0, 0.0]), np.array([0.9, 0.2, 0.7]), (THRESHOLDS,) * 3,
        cast("object", None),  # type: ignore[arg-type]
    )  # fmt: skip
    slices = pl.DataFrame(
        {
            "StudyInstanceUID": ["a", "b", "c"],
            "SOPInstanceUID": ["a.1", "b.1", "c.1"],
            "SeriesInstanceUID": ["as", "bs", "cs"],
            "box": [[0, SIDE, 0, SIDE]] * 3,
        }
    )
    hu = np.zeros((3, SIDE, SIDE), np.float32)
    store = cast(Store, SimpleNamespace(slices=slices, read_hu=lambda rows: hu[np.asarray(rows)]))
    cases = mask_cases(store, "air", decided, {"as": ("R", "L")})
    assert [(case.group, case.where) for case in cases] == [
        ("drawn best", "study a, image a.1"),
        ("drawn best", "study b, image b.1"),
        ("drawn worst", "study b, image b.1"),
        ("drawn worst", "study a, image a.1"),
        ("drawn where nothing is", "study c, image c.1"),
    ]
    assert cases[0].caption == "truth: 50.00 % of the picture; drawn: 50.00 % of the picture"
    assert cases[-1].caption == "truth: 0.00 % of the picture; drawn: 50.00 % of the picture"
    assert cases[0].title == "air: probability 0.90, Dice 1.00"
    assert [panel.left for panel in cases[0].panels] == ["R", "R"]


def test_a_mask_is_cropped_to_the_square_of_its_box_and_empty_outside_the_picture() -> None:
    mask = np.ones((4, 8), bool)
    square = mask_in_box(mask, PixelBox(0, 4, 0, 8), 8)
    assert square.tolist() == [[2 <= row < 6] * 8 for row in range(8)]
